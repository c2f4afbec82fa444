import { answer, api } from "@/lib/api/client";

/** Mails the link for verification once more. Says the same whomever the address belongs to. */
export async function resendVerification(email: string): Promise<void> {
  await answer(api.POST("/api/v1/auth/verify/resend", { body: { email } }));
}
