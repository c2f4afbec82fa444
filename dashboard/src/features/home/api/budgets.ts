import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

export type Budget = Schemas["Budget"];

/** The budgets that apply to the person, or all of them: the first page does for what is urgent. */
export function useBudgets() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "budgets", "home"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/budgets", { params: { query: { limit: 200 } }, signal })),
    enabled: org.canSomewhere("budgets.read"),
  });
}
