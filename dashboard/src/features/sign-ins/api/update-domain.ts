import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Changes what joining gives, or whether anybody joins. */
export const useUpdateDomain = deed(
  (api, { id, ...body }: { id: string } & Schemas["UpdateMailDomain"]) =>
    api.PATCH("/api/v1/mail-domains/{id}", { params: { path: { id } }, body }),
  ["mail-domains"],
  { quiet: true },
);
