import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Makes a team, at the top or below another. */
export const useCreateTeam = deed(
  (api, body: Schemas["CreateTeam"]) => api.POST("/api/v1/teams", { body }),
  ["teams", "me"],
  { quiet: true },
);
