import { answer, type Schemas } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type MailDomain = Schemas["MailDomain"];

/** The mail domains that the organisation has claimed: few enough for one page. */
export function useMailDomains() {
  const org = useOrg();
  return usePages<MailDomain>([org.id, "mail-domains"], (_, signal) =>
    answer(org.api.GET("/api/v1/mail-domains", { signal })),
  );
}
