/** What an operator reads of the installation: plans, mails, receipts, its state. */
import { useQuery } from "@tanstack/react-query";
import { answer, api, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";

export type Plan = Schemas["Plan"];
export type MailHeading = Schemas["MailHeading"];
export type Erasure = Schemas["Erasure"];

/** The plans on offer; they change with a start alone. */
export function usePlans() {
  return useQuery({
    queryKey: ["operator", "plans"],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/operator/plans", { signal })),
    staleTime: 60_000,
  });
}

/** Mails without their texts. */
export function useMails() {
  return usePages<MailHeading>(["operator", "mails"], (cursor, signal) =>
    answer(api.GET("/api/v1/operator/mails", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** A mail with its text. That it was read is recorded, so it is read when it is opened and not before. */
export function useMail(id: string) {
  return useQuery({
    queryKey: ["operator", "mail", id],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/operator/mails/{id}", { params: { path: { id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

/** Receipts of what was erased. */
export function useErasures() {
  return usePages<Erasure>(["operator", "erasures"], (cursor, signal) =>
    answer(api.GET("/api/v1/operator/erasures", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** Milliseconds between two looks at the system. */
const LOOK = 5_000;

/** How the installation is, kept up to date while it is looked at. */
export function useSystem() {
  return useQuery({
    queryKey: ["operator", "system"],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/operator/system", { signal })),
    refetchInterval: LOOK,
  });
}

/** The schema of the data. */
export function useSchema() {
  return useQuery({
    queryKey: ["operator", "schema"],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/operator/schema", { signal })),
    staleTime: 60_000,
  });
}
