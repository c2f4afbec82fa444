import { answer, type Schemas } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type Session = Schemas["Session"];

/** Where the person is signed in; all of it in one page. */
export function useSessions() {
  const org = useOrg();
  return usePages<Session>([org.id, "user", "sessions"], (_, signal) =>
    answer(org.api.GET("/api/v1/auth/sessions", { signal })),
  );
}
