import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";

export type Person = Schemas["Person"];
const KEY = ["operator", "people"] as const;

/** People, perhaps by what their mail addresses hold. */
export function usePeople(email: string | undefined) {
  return usePages<Person>([...KEY, email ?? null], (cursor, signal) =>
    answer(api.GET("/api/v1/operator/people", { params: { query: { cursor, limit: PAGE, email } }, signal })),
  );
}

/** What an operator can do to an account. */
export function usePersonDeeds() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: KEY });
  return {
    enrol: useMutation({
      mutationFn: (body: Schemas["CreatePerson"]) => answer(api.POST("/api/v1/operator/people", { body })),
      onSuccess,
      meta: { quiet: true },
    }),
    stand: useMutation({
      mutationFn: ({ id, standing }: { id: string; standing: Schemas["Standing"] }) =>
        answer(api.PATCH("/api/v1/operator/people/{id}", { params: { path: { id } }, body: { standing } })),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (id: string) => answer(api.DELETE("/api/v1/operator/people/{id}", { params: { path: { id } } })),
      onSuccess,
    }),
  };
}
