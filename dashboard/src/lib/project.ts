/** The project that a page is narrowed to. It stands in the address (`?project=`), so it goes along from page to page and into links. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The id of the chosen project, if one is. */
export function useProject(): string | undefined {
  const search: { project?: string } = useSearch({ strict: false });
  return search.project;
}

/** The id of the project in which something new is made: the chosen one, or one of those where the person may, if they may only there. */
export function useProjectFor(permission: Permission): string | undefined {
  const org = useOrg();
  const project = useProject();
  if (project !== undefined || org.can(permission)) return project;
  return org.moreAt.find((id) => org.can(permission, id));
}

/** Chooses a project, or none. */
export function useChooseProject(): (project: string | undefined) => void {
  const navigate = useNavigate();
  return (project) => void navigate({ to: ".", search: (before) => ({ ...before, project }) });
}
