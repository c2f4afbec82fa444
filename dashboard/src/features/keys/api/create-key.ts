import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { keysKey } from "./list-keys";

export type NewKey = Schemas["NewApiKey"];
export type KeyWishes = Schemas["CreateApiKey"];

/** Makes a key; the answer is the only one that holds it. */
export function useCreateKey() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wishes: KeyWishes) => answer(org.api.POST("/api/v1/auth/api-keys", { body: wishes })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysKey(org) }),
    // The form shows what is wrong.
    meta: { quiet: true },
    // The key leaves memory with the dialog that shows it.
    gcTime: 0,
  });
}
