import { deed } from "@/lib/api/deed";

/** Takes the connection to Notion away. */
export const useUnlinkNotion = deed((api, _: undefined) => api.DELETE("/api/v1/user/connections/notion"), ["user"]);
