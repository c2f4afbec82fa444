import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { configQuery } from "@/lib/config";
import { useOrg } from "@/lib/org";

/** The steps that the API keeps; `guide` stands for all of them. */
export type Step = "organization" | "knowledge" | "question" | "invitation" | "key" | "guide";
export type Outcome = Schemas["StepOutcome"];

/** What became of the steps of the guide. It is kept on the server, so it goes on where it was left, in whatever browser. */
export function useGuide() {
  const org = useOrg();
  return useQuery({
    ...configQuery(org),
    enabled: org.can("config.read"),
    select: ({ guide }) => guide as Partial<Record<Step, Outcome>>,
  });
}

/** Says what became of steps; null puts one ahead again. */
export function useMarkSteps() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (guide: Partial<Record<Step, Outcome | null>>) =>
      answer(org.api.PATCH("/api/v1/user/config", { body: { guide: guide as Record<string, Outcome | null> } })),
    onSuccess: (config) => queries.setQueryData(configQuery(org).queryKey, config),
  });
}
