import { deed } from "@/lib/api/deed";

/** Signs a device out. */
export const useEndSession = deed(
  (api, id: string) => api.DELETE("/api/v1/auth/sessions/{id}", { params: { path: { id } } }),
  ["user"],
);
