import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, api, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { tagged } from "@/lib/api/tagged";

export type Organization = Schemas["OperatedOrganization"];
export type Override = Schemas["PlanOverride"];

const KEY = ["operator", "orgs"] as const;

/** All organisations, by their outsides. */
export function useOrgs() {
  return usePages<Organization>([...KEY, "list"], (cursor, signal) =>
    answer(api.GET("/api/v1/operator/orgs", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** One of them, with its version. */
export function useOneOrg(organisation: string) {
  return useQuery({
    queryKey: [...KEY, organisation],
    queryFn: ({ signal }) =>
      tagged(api.GET("/api/v1/operator/orgs/{organisation}", { params: { path: { organisation } }, signal })),
  });
}

/** Its exceptions from the plan. */
export function useOverrides(organisation: string) {
  return useQuery({
    queryKey: [...KEY, organisation, "overrides"],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/operator/orgs/{organisation}/overrides", { params: { path: { organisation } }, signal })),
  });
}

/** The mail domains that it has claimed. */
export function useDomains(organisation: string) {
  return useQuery({
    queryKey: [...KEY, organisation, "mail-domains"],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/v1/operator/orgs/{organisation}/mail-domains", { params: { path: { organisation } }, signal }),
      ),
  });
}

/** What an operator can do to an organisation. */
export function useOrgDeeds(organisation: string) {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: KEY });
  const path = { organisation };
  return {
    update: useMutation({
      mutationFn: ({ tag, body }: { tag: string | undefined; body: Schemas["UpdateOrg2"] }) =>
        answer(
          api.PATCH("/api/v1/operator/orgs/{organisation}", { params: { path, header: { "If-Match": tag } }, body }),
        ),
      onSuccess,
      meta: { quiet: true },
    }),
    addOverride: useMutation({
      mutationFn: (body: Schemas["CreateOverride"]) =>
        answer(api.POST("/api/v1/operator/orgs/{organisation}/overrides", { params: { path }, body })),
      onSuccess,
      meta: { quiet: true },
    }),
    takeOverride: useMutation({
      mutationFn: (id: string) =>
        answer(
          api.DELETE("/api/v1/operator/orgs/{organisation}/overrides/{id}", { params: { path: { ...path, id } } }),
        ),
      onSuccess,
    }),
    verifyDomain: useMutation({
      mutationFn: (id: string) =>
        answer(
          api.POST("/api/v1/operator/orgs/{organisation}/mail-domains/{id}/verify", {
            params: { path: { ...path, id } },
          }),
        ),
      onSuccess,
    }),
  };
}
