import { answer, api } from "@/lib/api/client";

/** Sets a new password with a mailed secret. */
export async function resetPassword(token: string, password: string): Promise<void> {
  await answer(api.POST("/api/v1/auth/password/reset", { body: { token, password } }));
}
