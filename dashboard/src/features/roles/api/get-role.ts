import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/lib/api/client";
import { type Versioned, versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

export type Role = Schemas["RoleInFull"];
export type VersionedRole = Versioned<Role>;

/** A role with its version, to be changed. */
export function useRole(id: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "roles", "one", id],
    queryFn: ({ signal }) =>
      versioned(org.api.GET("/api/v1/roles/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== undefined,
    // The form begins with what holds now.
    gcTime: 0,
  });
}
