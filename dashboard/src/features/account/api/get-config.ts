import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/lib/api/client";
import { configQuery } from "@/lib/config";
import { useOrg } from "@/lib/org";

export type Config = Schemas["UserConfig"];

/** What the person has set for themselves here, and what holds for the rest. */
export function useConfig() {
  return useQuery(configQuery(useOrg()));
}
