import { deed } from "@/lib/api/deed";

/** Asks for another mail address; a link goes there. */
export const useChangeEmail = deed((api, email: string) => api.POST("/api/v1/auth/email", { body: { email } }), [], {
  quiet: true,
});
