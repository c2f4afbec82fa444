import { answer, api, type Schemas } from "@/lib/api/client";
import { began, type SignedIn } from "@/lib/session/session";

/** Signs in with a cookie. `code_needed` asks for the same again with a code. */
export async function signIn(body: Schemas["CreateSession"]): Promise<SignedIn> {
  const session = await answer(api.POST("/api/v1/auth/session", { body }));
  began(session);
  return session;
}
