import { answer, api } from "@/lib/api/client";

/** Mails a link for a new password. Says the same whomever the address belongs to. */
export async function forgotPassword(email: string): Promise<void> {
  await answer(api.POST("/api/v1/auth/password/forgot", { body: { email } }));
}
