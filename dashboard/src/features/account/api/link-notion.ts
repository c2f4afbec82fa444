import { deed } from "@/lib/api/deed";

/** Connects Notion with the token of an integration. */
export const useLinkNotion = deed(
  (api, token: string) => api.PUT("/api/v1/user/connections/notion", { body: { token } }),
  ["user"],
  { quiet: true },
);
