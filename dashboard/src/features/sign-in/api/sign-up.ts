import { answer, api, type Schemas } from "@/lib/api/client";
import { endTokens } from "./end-tokens";
import { signIn } from "./sign-in";

/** Signs somebody up. Where addresses are verified the rest goes on by mail; elsewhere they are signed in at once. */
export async function signUp(body: Schemas["SignUp"]): Promise<"signed-in" | "mailed"> {
  const made = await answer(api.POST("/api/v1/auth/signup", { body }));
  if (!("access_token" in made)) return "mailed";
  await signIn({ email: body.email, password: body.password });
  // The answer holds tokens for programs. A browser has its cookie, and keeps none.
  await endTokens(made.access_token);
  return "signed-in";
}
