import {
  ActionIcon,
  Badge,
  Button,
  Group,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
  Tooltip,
  useMantineColorScheme,
} from "@mantine/core";
import { IconArrowBackUp, IconHistory } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { Section } from "@/components/section";
import { Empty, Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { LANGUAGES, speak, useLanguage, useWords } from "@/lib/words/words";
import { type Config, useConfig } from "../api/get-config";
import { useConfigVersions } from "../api/list-config-versions";
import { useRestoreConfig } from "../api/restore-config";
import { useUpdateConfig } from "../api/update-config";
import { account } from "../words";

type Layer = Config["layers"][keyof Config["layers"]];

export function PreferencesPage() {
  const config = useConfig();
  if (config.error && !config.data) return <Failure error={config.error} retry={() => void config.refetch()} />;
  if (!config.data) return <Loading lines={8} />;
  return (
    <Stack gap="lg">
      <Preferences of={config.data} />
      <Notifications of={config.data} />
      <Versions now={config.data.version} />
    </Stack>
  );
}

/** Each holds from the moment it is chosen. */
function Preferences({ of }: { of: Config }) {
  const words = useWords(account).preferences;
  const org = useOrg();
  const update = useUpdateConfig();
  const spoken = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const may = org.can("config.write");
  const save = (part: Parameters<typeof update.mutate>[0]) =>
    update.mutate(part, { onSuccess: () => told(words.saved) });
  const schemes = { system: "auto", light: "light", dark: "dark" } as const;
  const reset = (setting: keyof Config["layers"], label: string) =>
    may && of.layers[setting] === "user" ? (
      <Tooltip label={words.reset}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={words.resetOf(label)}
          onClick={() => save({ [setting]: null })}
        >
          <IconArrowBackUp size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
    ) : null;
  return (
    <Section title={words.title} text={words.text(org.name)}>
      <Stack maw={460}>
        <Setting layer={of.layers.language} reset={reset("language", words.language)}>
          <Select
            label={words.language}
            description={words.languageHint}
            disabled={!may}
            allowDeselect={false}
            data={[
              ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label })),
              // What was set by another client is not thrown away.
              ...(of.language in LANGUAGES ? [] : [{ value: of.language, label: of.language }]),
            ]}
            value={of.language}
            onChange={(language) => {
              if (!language) return;
              if (language !== spoken) speak(language);
              save({ language });
            }}
          />
        </Setting>
        <Setting layer={of.layers.theme} reset={reset("theme", words.theme)}>
          <Select
            label={words.theme}
            disabled={!may}
            allowDeselect={false}
            data={(["system", "light", "dark"] as const).map((value) => ({ value, label: words.themes[value] }))}
            value={of.theme}
            onChange={(theme) => {
              if (!theme) return;
              setColorScheme(schemes[theme as keyof typeof schemes]);
              save({ theme: theme as Config["theme"] });
            }}
          />
        </Setting>
        <Setting layer={of.layers.time_zone} reset={reset("time_zone", words.zone)}>
          <Select
            label={words.zone}
            disabled={!may}
            searchable
            limit={100}
            allowDeselect={false}
            data={zones(of.time_zone)}
            value={of.time_zone}
            onChange={(time_zone) => time_zone && save({ time_zone })}
          />
        </Setting>
        <Setting layer={of.layers.planning_time} reset={reset("planning_time", words.planning)}>
          <TextInput
            // Anew when it was changed elsewhere: what is typed is kept until the field is left.
            key={of.planning_time}
            type="time"
            label={words.planning}
            description={words.planningHint}
            disabled={!may}
            defaultValue={of.planning_time}
            onBlur={({ currentTarget: { value } }) => {
              if (value && value !== of.planning_time) save({ planning_time: value });
            }}
          />
        </Setting>
      </Stack>
    </Section>
  );
}

/** A setting with who said what holds. */
function Setting({ layer, reset, children }: { layer: Layer; reset: ReactNode; children: ReactNode }) {
  const words = useWords(account).preferences;
  return (
    <div>
      {children}
      <Group gap={6} mt={6} mih={28}>
        <Badge variant="default" size="sm" tt="none" fw={500}>
          {words.from[layer]}
        </Badge>
        {reset}
      </Group>
    </div>
  );
}

/** The kinds that the person has a word on; the server wants all others. */
function Notifications({ of }: { of: Config }) {
  const words = useWords(account).preferences;
  const org = useOrg();
  const update = useUpdateConfig();
  const kinds = Object.entries(of.notifications).toSorted(([one], [other]) => one.localeCompare(other));
  return (
    <Section title={words.notifications} text={words.notificationsText}>
      {kinds.length === 0 ? (
        <Text size="sm">{words.noKinds}</Text>
      ) : (
        <Stack gap="xs">
          {kinds.map(([kind, wanted]) => (
            <Switch
              key={kind}
              label={words.wanted(kind.replaceAll("_", " "))}
              checked={wanted}
              disabled={!org.can("config.write")}
              onChange={({ currentTarget: { checked } }) => update.mutate({ notifications: { [kind]: checked } })}
            />
          ))}
        </Stack>
      )}
    </Section>
  );
}

function Versions({ now }: { now: number }) {
  const words = useWords(account).preferences;
  const common = useWords(shared);
  const org = useOrg();
  const list = useConfigVersions();
  const restore = useRestoreConfig();
  const columns: Column<Config>[] = [
    { header: words.columns.version, cell: ({ version }) => words.version(version) },
    { header: words.columns.made, cell: ({ updated_at }) => <Ago time={updated_at} /> },
    {
      header: words.columns.language,
      cell: ({ language }) => LANGUAGES[language as keyof typeof LANGUAGES] ?? language,
    },
    { header: words.columns.zone, cell: ({ time_zone }) => time_zone },
    {
      header: common.actions,
      kind: "actions",
      cell: ({ version }) =>
        version === now ? (
          <Badge variant="light" color="door" size="sm" tt="none">
            {words.now}
          </Badge>
        ) : org.can("config.write") ? (
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`${words.restore}: ${words.version(version)}`}
            onClick={() => restore.mutate(version, { onSuccess: () => told(words.restored(version)) })}
          >
            {words.restore}
          </Button>
        ) : null,
    },
  ];
  return (
    <Section title={words.versions} text={words.versionsText}>
      <DataTable
        label={words.versions}
        list={list}
        columns={columns}
        rowKey={({ version }) => String(version)}
        empty={<Empty icon={IconHistory} title={words.noVersions} text={words.versionsText} />}
      />
    </Section>
  );
}

/** The names of time zones that the browser knows, with the one that is set. */
function zones(now: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set([now, "UTC", ...known])];
}
