import { answer } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";
import type { Config } from "./get-config";

/** Few of them: they are looked at to find the last good one. */
const FEW = 10;

/** Earlier versions of the own settings, the newest first. */
export function useConfigVersions() {
  const org = useOrg();
  return usePages<Config>([org.id, "user", "config", "versions"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/user/config/versions", { params: { query: { cursor, limit: FEW } }, signal })),
  );
}
