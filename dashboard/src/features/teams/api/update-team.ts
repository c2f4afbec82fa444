import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Renames or moves a team. */
export const useUpdateTeam = deed(
  (api, { id, ...body }: { id: string } & Schemas["UpdateTeam"]) =>
    api.PATCH("/api/v1/teams/{id}", { params: { path: { id } }, body }),
  ["teams", "projects", "me"],
  { quiet: true },
);
