import { Button, Code, Group, Modal, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { Copy } from "@/components/copy";
import { State } from "@/components/facts";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import type { Schemas } from "@/lib/api/client";
import { ApiError } from "@/lib/api/error";
import { useSending } from "@/lib/forms";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useConfirmFactor } from "./api/confirm-factor";
import { usePrepareFactor } from "./api/prepare-factor";
import { useRemoveFactor } from "./api/remove-factor";
import { useRenewRecoveryCodes } from "./api/renew-recovery-codes";
import { Qr } from "./qr";
import { account } from "./words";

/** The second factor: set up with a picture, turned off with a code, recovery codes shown once. */
export function SecondFactor({ on }: { on: boolean }) {
  const words = useWords(account);
  const prepare = usePrepareFactor();
  const [enrolment, setEnrolment] = useState<Schemas["Enrolment"]>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [turningOff, setTurningOff] = useState(false);
  const [renewing, setRenewing] = useState(false);

  return (
    <Section
      title={words.factor.title}
      text={words.factor.text}
      action={<State color={on ? "green" : "gray"}>{on ? words.factor.on : words.factor.off}</State>}
    >
      <Group>
        {on ? (
          <>
            <Button variant="default" onClick={() => setRenewing(true)}>
              {words.factor.newCodes}
            </Button>
            <Button variant="light" color="red" onClick={() => setTurningOff(true)}>
              {words.factor.turnOff}
            </Button>
          </>
        ) : (
          <Button
            loading={prepare.isPending}
            onClick={() => prepare.mutate(undefined, { onSuccess: (made) => setEnrolment(made) })}
          >
            {words.factor.turnOn}
          </Button>
        )}
      </Group>
      <Modal
        opened={enrolment !== undefined}
        onClose={() => setEnrolment(undefined)}
        title={words.factor.setUp}
        closeOnClickOutside={false}
      >
        {enrolment && (
          <SetUp
            of={enrolment}
            done={(made) => {
              setEnrolment(undefined);
              setCodes(made);
            }}
            cancel={() => setEnrolment(undefined)}
          />
        )}
      </Modal>
      <Modal opened={turningOff} onClose={() => setTurningOff(false)} title={words.factor.offTitle}>
        <TurnOff close={() => setTurningOff(false)} />
      </Modal>
      <Modal opened={renewing} onClose={() => setRenewing(false)} title={words.factor.renewTitle}>
        <Renew
          done={(made) => {
            setRenewing(false);
            setCodes(made);
          }}
          cancel={() => setRenewing(false)}
        />
      </Modal>
      <Modal
        opened={codes !== undefined}
        onClose={() => setCodes(undefined)}
        title={words.factor.codes}
        // A click beside it must not take away what cannot be shown again.
        closeOnClickOutside={false}
      >
        {codes && <Codes of={codes} close={() => setCodes(undefined)} />}
      </Modal>
    </Section>
  );
}

/** The field for a code, and what is wrong with one. */
function useCode<R>(send: (code: string) => Promise<R>, done: (result: R) => void) {
  const common = useWords(shared);
  const form = useForm({
    initialValues: { code: "" },
    validate: { code: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(form, ({ code }) => send(code.replaceAll(/\s/g, "")), done, {
    handle: (error) => {
      if (!(error instanceof ApiError) || (error.code !== "invalid_credentials" && error.param !== "code"))
        return false;
      form.setFieldError("code", error.message);
      return true;
    },
  });
  return { form, sending };
}

function SetUp({
  of,
  done,
  cancel,
}: {
  of: Schemas["Enrolment"];
  done: (codes: readonly string[]) => void;
  cancel: () => void;
}) {
  const words = useWords(account);
  const turnOn = useConfirmFactor();
  const { form, sending } = useCode(
    (code) => turnOn.mutateAsync(code),
    ({ recovery_codes }) => done(recovery_codes),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.factor.scan}</Text>
        <Group justify="center">
          <Qr text={of.otpauth_url} label={words.factor.picture} />
        </Group>
        <div>
          <Text size="sm" c="dimmed" mb={4}>
            {words.factor.manual}
          </Text>
          <Group gap="xs">
            <Code style={{ overflowWrap: "anywhere" }}>{of.secret}</Code>
            <Copy text={of.secret} />
          </Group>
        </div>
        <TextInput
          label={words.factor.code}
          inputMode="numeric"
          autoComplete="one-time-code"
          data-autofocus
          {...form.getInputProps("code")}
        />
        <FormEnd sending={sending} deed={words.factor.confirm} onCancel={cancel} />
      </Stack>
    </form>
  );
}

function TurnOff({ close }: { close: () => void }) {
  const words = useWords(account);
  const remove = useRemoveFactor();
  const asked = useCode(
    (code) => remove.mutateAsync(code),
    () => {
      told(words.factor.turnedOff);
      close();
    },
  );
  return <WithCode asked={asked} text={words.factor.offText} deed={words.factor.turnOff} cancel={close} />;
}

function Renew({ done, cancel }: { done: (codes: readonly string[]) => void; cancel: () => void }) {
  const words = useWords(account);
  const renew = useRenewRecoveryCodes();
  const asked = useCode(
    (code) => renew.mutateAsync(code),
    ({ recovery_codes }) => done(recovery_codes),
  );
  return <WithCode asked={asked} text={words.factor.renewText} deed={words.factor.newCodes} cancel={cancel} />;
}

/** What is done with a code alone. */
function WithCode({
  asked: { form, sending },
  text,
  deed,
  cancel,
}: {
  asked: ReturnType<typeof useCode>;
  text: string;
  deed: string;
  cancel: () => void;
}) {
  const words = useWords(account);
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{text}</Text>
        <TextInput
          label={words.factor.code}
          inputMode="numeric"
          autoComplete="one-time-code"
          data-autofocus
          {...form.getInputProps("code")}
        />
        <FormEnd sending={sending} deed={deed} onCancel={cancel} />
      </Stack>
    </form>
  );
}

function Codes({ of, close }: { of: readonly string[]; close: () => void }) {
  const words = useWords(account);
  const common = useWords(shared);
  const text = of.join("\n");
  return (
    <Stack>
      <Text size="sm">{words.factor.codesText}</Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        {of.map((code) => (
          <Code key={code} fz="md" ta="center" py={6}>
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Text size="sm" c="dimmed">
        {common.secret.warning}
      </Text>
      <Group justify="space-between">
        <Group gap="xs">
          <Copy text={text} />
          <Button
            variant="default"
            size="xs"
            component="a"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
            download="rowhouse-recovery-codes.txt"
          >
            {words.factor.download}
          </Button>
        </Group>
        <Button onClick={close}>{common.secret.done}</Button>
      </Group>
    </Stack>
  );
}
