import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Changes a member's role, or whether they may act. */
export const useUpdateMember = deed(
  (api, { id, ...body }: { id: string } & Schemas["UpdateMember"]) =>
    api.PATCH("/api/v1/members/{user_id}", { params: { path: { user_id: id } }, body }),
  ["members", "me"],
);

/** The same for a form, which shows its error. */
export const useChangeRole = deed(
  (api, { id, role }: { id: string; role: string }) =>
    api.PATCH("/api/v1/members/{user_id}", { params: { path: { user_id: id } }, body: { role } }),
  ["members", "me"],
  { quiet: true },
);
