import { deed } from "@/lib/api/deed";

/** Closes the own account; for 30 days it can be kept. */
export const useDeleteAccount = deed((api, _: undefined) => api.DELETE("/api/v1/user/profile"), []);
