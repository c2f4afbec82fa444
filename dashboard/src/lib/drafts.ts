/**
 * Half-filled forms, kept in this tab for the person who fills them, so that a session that ends in between costs nobody their words.
 * Secrets are left out by the form that has them.
 */
import { useEffect, useRef } from "react";
import { keepDraft, keptDraft } from "@/lib/session/drafts";
import { current } from "@/lib/session/session";

interface Form<V> {
  values: V;
  setValues: (values: Partial<V>) => void;
  isDirty: () => boolean;
}

function place(name: string): string | undefined {
  const person = current()?.user.id;
  return person && `${person}:${window.location.pathname}:${name}`;
}

/**
 * Keeps what is typed into a form under its address and `name`, and puts it back when the form is opened again. `secret` names the fields
 * that are never kept. Call `forget` when the form was sent or given up, or wrap what ends it in `ending`.
 */
export function useDraft<V extends Record<string, unknown>>(
  form: Form<V>,
  name: string,
  secret: readonly (keyof V)[] = [],
) {
  const restored = useRef(false);
  const over = useRef(false);
  const at = useRef(place(name));

  useEffect(() => {
    if (restored.current) return;
    restored.current = true;
    const kept = at.current && keptDraft(at.current);
    if (kept) form.setValues(kept as Partial<V>);
  });

  useEffect(() => {
    if (!restored.current || !at.current) return;
    if (!form.isDirty()) {
      // It stays, and was emptied: what is typed next is another draft.
      over.current = false;
      return;
    }
    if (over.current) return;
    const plain = Object.fromEntries(Object.entries(form.values).filter(([field]) => !secret.includes(field)));
    keepDraft(at.current, plain);
  }, [form, secret]);

  const forget = () => {
    // The form may be drawn once more before it is gone.
    over.current = true;
    if (at.current) keepDraft(at.current, undefined);
  };
  return {
    forget,
    /** Forgets it, then does what ends the form. */
    ending:
      <A extends unknown[]>(end: (...given: A) => void) =>
      (...given: A) => {
        forget();
        end(...given);
      },
  };
}
