/**
 * Some changes take a factor that was shown in the last minutes. Whoever sends such a change waits here until the person has shown one
 * in the dialog, and then sends it again; forms need to know nothing of it.
 */
import { useSyncExternalStore } from "react";

interface Wanted {
  answer: (shown: boolean) => void;
}

let wanted: Wanted | null = null;
let waiting: Promise<boolean> | undefined;
const listeners = new Set<() => void>();

function become(next: Wanted | null) {
  wanted = next;
  for (const listener of listeners) listener();
}

/** Asks the person for a factor. Says whether they showed one; several who ask at the same time share a dialog. */
export function askForFactor(): Promise<boolean> {
  waiting ??= new Promise<boolean>((resolve) => {
    become({ answer: resolve });
  }).finally(() => {
    waiting = undefined;
    become(null);
  });
  return waiting;
}

/** What the dialog is to ask for, if anything. */
export function useWantedFactor(): Wanted | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => wanted,
  );
}
