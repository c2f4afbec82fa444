/** The project that a page is narrowed to. It stands in the address (`?project=`), so it goes along from page to page and into links. */
import { useNavigate, useSearch } from "@tanstack/react-router";

/** The id of the chosen project, if one is. */
export function useProject(): string | undefined {
  const search: { project?: string } = useSearch({ strict: false });
  return search.project;
}

/** Chooses a project, or none. */
export function useChooseProject(): (project: string | undefined) => void {
  const navigate = useNavigate();
  return (project) => void navigate({ to: ".", search: (before) => ({ ...before, project }) });
}
