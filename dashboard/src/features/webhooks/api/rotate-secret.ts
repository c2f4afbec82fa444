import { deed } from "@/lib/api/deed";

/** For how many seconds the secret before signs, too: a day. */
const GRACE = 86_400;

/** Puts a new secret in the place of one. */
export const useRotateSecret = deed(
  (api, id: string) =>
    api.POST("/api/v1/webhooks/{id}/rotate-secret", { params: { path: { id } }, body: { grace_seconds: GRACE } }),
  ["webhooks"],
);
