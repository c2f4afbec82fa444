import { api } from "@/lib/api/client";

/** Ends the session of tokens that an answer held and that nobody here needs. Should it fail, they end by themselves. */
export async function endTokens(accessToken: string): Promise<void> {
  await api
    .POST("/api/v1/auth/logout", { body: {}, headers: { authorization: `Bearer ${accessToken}` } })
    .catch(() => {});
}
