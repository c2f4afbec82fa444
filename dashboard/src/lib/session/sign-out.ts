/** Signing out, and leaving nothing behind. */
import { answer, api } from "@/lib/api/client";
import { forgetDrafts } from "@/lib/drafts";
import { ended } from "./session";

/** Ends the session. The page is loaded anew, so nothing of it stays in memory. */
export async function signOut() {
  await answer(api.DELETE("/api/v1/auth/session"));
  forgetDrafts();
  ended();
  window.location.assign("/login");
}
