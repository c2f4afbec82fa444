/** The versions of a document; each keeps its text and its original. */
import { ActionIcon, Code, Group, Text, Tooltip } from "@mantine/core";
import { IconDownload, IconVersions } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, State } from "@/components/facts";
import { TextLink } from "@/components/links";
import { Empty } from "@/components/states";
import { useDirectory } from "@/lib/directory";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { saveFile } from "@/lib/save-file";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDownloadOriginal } from "./api/download-original";
import type { Document } from "./api/list-documents";
import { useVersions, type Version } from "./api/list-versions";
import { knowledge } from "./words";

export function Versions({ of }: { of: Document }) {
  const words = useWords(knowledge);
  const list = useVersions(of.id);
  return (
    <DataTable
      label={words.document.versions}
      list={list}
      columns={useColumns(of)}
      rowKey={(version) => String(version.number)}
      empty={<Empty icon={IconVersions} title={words.document.versions} text={words.document.unread} />}
    />
  );
}

function useColumns(of: Document): Column<Version>[] {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const directory = useDirectory();
  return [
    {
      header: words.document.versions,
      cell: (version) => (
        <>
          <Group gap={8}>
            <Text size="sm" fw={550}>
              {words.document.version(String(version.number))}
            </Text>
            {version.shown && <State color="green">{words.document.found}</State>}
          </Group>
          <TextLink
            to="/o/$org/knowledge/documents/$document"
            params={{ org: org.address, document: of.id }}
            search={{ version: version.number }}
            size="xs"
          >
            {words.document.show}
          </TextLink>
        </>
      ),
    },
    {
      header: words.document.file,
      cell: (version) => (
        <div>
          <bdi>{version.name}</bdi>
          <br />
          <Tooltip label={version.sha256} maw={520}>
            <Code fz="xs">{version.sha256.slice(0, 12)}…</Code>
          </Tooltip>
        </div>
      ),
    },
    { header: words.document.size, kind: "number", cell: ({ size }) => format.bytes(size) },
    {
      header: words.document.by,
      cell: ({ created_by }) => <bdi>{directory.nameOf(created_by) ?? words.unknownPerson}</bdi>,
    },
    { header: words.document.when, cell: ({ created_at }) => <Ago time={created_at} /> },
    { header: common.actions, kind: "actions", cell: (version) => <Original of={of} version={version} /> },
  ];
}

function Original({ of, version }: { of: Document; version: Version }) {
  const words = useWords(knowledge);
  const original = useDownloadOriginal(of.id);
  return (
    <Tooltip label={words.document.download}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`${words.document.download}: ${words.document.version(String(version.number))}`}
        loading={original.isPending}
        onClick={() => original.mutate(version.number, { onSuccess: (file) => saveFile(file, version.name) })}
      >
        <IconDownload size={18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
