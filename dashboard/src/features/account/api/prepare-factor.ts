import { deed } from "@/lib/api/deed";

/** Prepares a second factor; the answer is the only one that holds its secret. */
export const usePrepareFactor = deed((api, _: undefined) => api.POST("/api/v1/auth/totp"), []);
