import { PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import { Failure, Loading } from "@/components/states";
import { ApiError } from "@/lib/api/error";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useChangePassword } from "../api/change-password";
import { useProfile } from "../api/get-profile";
import { SecondFactor } from "../second-factor";
import { Sessions } from "../sessions";
import { account } from "../words";

export function SecurityPage() {
  const profile = useProfile();
  return (
    <Stack gap="lg">
      <PasswordSection />
      {profile.error && !profile.data ? (
        <Failure error={profile.error} retry={() => void profile.refetch()} />
      ) : profile.data ? (
        <SecondFactor on={profile.data.value.second_factor} />
      ) : (
        <Loading lines={3} />
      )}
      <Sessions />
    </Stack>
  );
}

function PasswordSection() {
  const words = useWords(account);
  const common = useWords(shared);
  const org = useOrg();
  const change = useChangePassword();
  const form = useForm({
    initialValues: { current: "", next: "" },
    validate: {
      current: (value) => (value ? null : common.errors.required),
      next: (value) => (value ? null : common.errors.required),
    },
  });
  const sending = useSending(
    form,
    ({ current, next }) => change.mutateAsync({ current, new: next }),
    () => {
      form.reset();
      told(words.password.changed);
    },
    {
      params: { new: "next" },
      handle: (error) => {
        if (!(error instanceof ApiError) || error.code !== "invalid_credentials") return false;
        form.setFieldError("current", words.password.wrong);
        form.getInputNode("current")?.focus();
        return true;
      },
    },
  );
  return (
    <Section title={words.password.title} text={words.password.text}>
      <form onSubmit={sending.submit} noValidate>
        <Stack maw={420}>
          {/* So that a keeper of passwords knows whose it is. */}
          <input type="text" name="username" autoComplete="username" value={org.person.email} readOnly hidden />
          <PasswordInput
            label={words.password.current}
            autoComplete="current-password"
            {...form.getInputProps("current")}
          />
          <PasswordInput
            label={words.password.next}
            description={words.password.hint}
            autoComplete="new-password"
            {...form.getInputProps("next")}
          />
          <FormEnd sending={sending} deed={words.password.change} />
        </Stack>
      </form>
    </Section>
  );
}
