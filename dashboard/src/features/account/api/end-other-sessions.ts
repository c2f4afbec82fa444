import { deed } from "@/lib/api/deed";

/** Signs everything out but this browser. */
export const useEndOtherSessions = deed((api, _: undefined) => api.DELETE("/api/v1/auth/sessions"), ["user"]);
