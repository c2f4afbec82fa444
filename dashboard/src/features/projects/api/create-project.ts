import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Makes a project; its maker becomes its admin. */
export const useCreateProject = deed(
  (api, body: Schemas["CreateProject"]) => api.POST("/api/v1/projects", { body }),
  ["projects"],
  { quiet: true },
);
