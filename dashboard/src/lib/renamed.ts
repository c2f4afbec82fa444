/** What stands for an organisation in addresses comes from its name. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { addressOf, useOrg } from "@/lib/org";

/** To be called with the organisation when it may have got another name: the page goes on at the address that it has now. */
export function useRenamed(): (changed: { id: string; slug: string }) => void {
  const org = useOrg();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const router = useRouter();
  return (changed) => {
    queries.removeQueries({ queryKey: ["me"] });
    const siblings = org.siblings.map((other) => (other.id === changed.id ? { ...other, ...changed } : other));
    // Whoever went on to another organisation meanwhile stays there.
    if (!router.state.matches.some(({ params }) => "org" in params && params.org === org.address)) return;
    void navigate({
      to: ".",
      params: (before) => ({ ...before, org: addressOf(changed, siblings) }),
      search: (before) => before,
      replace: true,
    });
  };
}
