import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { tagged } from "@/lib/api/tagged";
import { useOrg } from "@/lib/org";

/** Gives the organisation its name. */
export function useRename() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) => {
      const path = { org_id: org.id };
      const { tag } = await tagged(org.api.GET("/api/v1/orgs/{org_id}", { params: { path } }));
      return answer(
        org.api.PATCH("/api/v1/orgs/{org_id}", { params: { path, header: { "If-Match": tag } }, body: { name } }),
      );
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: [org.id] }),
    meta: { quiet: true },
  });
}

/** A text that comes with the pages, to be asked about. */
export interface Sample {
  title: string;
  text: string;
}

/** Makes a collection of samples, for who has nothing at hand. */
export function useAddSamples() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, samples }: { name: string; samples: readonly Sample[] }) => {
      const { id } = await answer(org.api.POST("/api/v1/collections", { body: { name } }));
      for (const { title, text } of samples) {
        await answer(
          org.api.POST("/api/v1/collections/{id}/documents/text", { params: { path: { id } }, body: { title, text } }),
        );
      }
    },
    onSuccess: () =>
      Promise.all(
        ["collections", "documents", "jobs", "usage"].map((noun) =>
          queries.invalidateQueries({ queryKey: [org.id, noun] }),
        ),
      ),
  });
}

/** Whether some steps were taken elsewhere: a question asked, somebody invited, a key made. */
export function useTaken(enabled: boolean) {
  const org = useOrg();
  const query = { limit: 2 };
  const threads = useQuery({
    queryKey: [org.id, "threads", "any"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/threads", { params: { query }, signal })),
    enabled: enabled && org.canSomewhere("answers.use"),
  });
  const invitations = useQuery({
    queryKey: [org.id, "invitations", "any"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/invitations", { params: { query }, signal })),
    enabled: enabled && org.can("invitations.read"),
  });
  const members = useQuery({
    queryKey: [org.id, "members", "any"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/members", { params: { query }, signal })),
    enabled: enabled && org.can("members.read"),
  });
  const keys = useQuery({
    queryKey: [org.id, "keys", "any"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/auth/api-keys", { params: { query }, signal })),
    enabled: enabled && org.canSomewhere("keys.create"),
  });
  return {
    question: (threads.data?.data.length ?? 0) > 0,
    invitation: (invitations.data?.data.length ?? 0) > 0 || (members.data?.data.length ?? 0) > 1,
    key: (keys.data?.data.length ?? 0) > 0,
  };
}
