/** Signing out, and leaving nothing behind. */
import { useMutation } from "@tanstack/react-query";
import { answer, api } from "@/lib/api/client";
import { ApiError } from "@/lib/api/error";
import { ended } from "./session";

/** Ends the session. The page is loaded anew, so nothing of it stays in memory. */
async function signOut() {
  try {
    await answer(api.DELETE("/api/v1/auth/session"));
  } catch (error) {
    // One that has ended by itself is at its end, too.
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  }
  ended();
  window.location.assign("/login");
}

/** Signing out, for buttons: when it fails, that is told. */
export function useSignOut() {
  return useMutation({ mutationFn: signOut });
}
