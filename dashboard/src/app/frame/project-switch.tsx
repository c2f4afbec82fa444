/** Narrows the pages to a project. Nothing where there are none. */
import { Select } from "@mantine/core";
import { IconFolder } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { useChooseProject, useProject } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { frame } from "./words";

const ALL = "all";

export function ProjectSwitch() {
  const words = useWords(frame);
  const org = useOrg();
  const project = useProject();
  const choose = useChooseProject();
  const { data } = useQuery({
    queryKey: [org.id, "projects", "switch"],
    // As many as a page of the API holds; who has more finds the others on the page of projects.
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/projects", { params: { query: { limit: 200 } }, signal })),
    staleTime: 60_000,
  });
  const projects = data?.data ?? [];
  if (projects.length === 0) return null;
  return (
    <Select
      size="xs"
      aria-label={words.project}
      leftSection={<IconFolder size={14} aria-hidden />}
      data={[{ value: ALL, label: words.allProjects }, ...projects.map(({ id, name }) => ({ value: id, label: name }))]}
      value={project ?? ALL}
      onChange={(value) => choose(value === ALL || value === null ? undefined : value)}
      allowDeselect={false}
      searchable={projects.length > 8}
    />
  );
}
