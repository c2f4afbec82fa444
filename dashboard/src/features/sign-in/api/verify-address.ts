import { answer, api } from "@/lib/api/client";
import { endTokens } from "./end-tokens";

/** Verifies a mail address with a mailed secret. */
export async function verifyAddress(token: string): Promise<void> {
  const tokens = await answer(api.POST("/api/v1/auth/verify", { body: { token } }));
  await endTokens(tokens.access_token);
}
