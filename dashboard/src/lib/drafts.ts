/**
 * Half-filled forms, kept in this tab for the person who fills them, so that a session that ends in between costs nobody their words.
 * Secrets are left out by the form that has them.
 */
import { useEffect, useRef, useState } from "react";
import { keepDraft, keptDraft } from "@/lib/session/drafts";
import { current } from "@/lib/session/session";

interface Form<V> {
  values: V;
  setValues: (values: Partial<V>) => void;
  isDirty: () => boolean;
  reset: () => void;
}

interface Options<V> {
  /** The fields that are never kept. */
  secret?: readonly (keyof V)[];
  /** What is there and is changed by the form: on anything else the draft is not put back, it would undo what others did. */
  onto?: unknown;
}

/** What stands under a name. */
interface Kept<V> {
  values: Partial<V>;
  onto: string | undefined;
}

/** What a form shows of its draft. */
export interface Draft {
  /** Whether what was typed before was put back. */
  restored: boolean;
  /** Goes back to where the form began. */
  discard: () => void;
}

function place(name: string): string | undefined {
  const person = current()?.user.id;
  return person && `${person}:${window.location.pathname}:${name}`;
}

/**
 * Keeps what is typed into a form under its address and `name`, and puts it back when the form is opened again, which the form says (by
 * its `FormEnd`). What is made below something, or in a project, has that in its `name`. Call `forget` when the form was sent or given up,
 * or wrap what ends it in `ending`.
 */
export function useDraft<V extends Record<string, unknown>>(
  form: Form<V>,
  name: string,
  { secret = [], onto }: Options<V> = {},
) {
  const begun = useRef(false);
  const over = useRef(false);
  const at = useRef(place(name));
  const base = useRef(JSON.stringify(onto));
  const [restored, setRestored] = useState(false);

  useEffect(() => {
    if (!at.current) return;
    if (!begun.current) {
      begun.current = true;
      const kept = keptDraft(at.current) as Kept<V> | null;
      if (kept?.values && kept.onto === base.current) {
        form.setValues(kept.values);
        setRestored(true);
        return;
      }
    }
    if (!form.isDirty()) {
      // It stays, and was emptied: what is typed next is another draft.
      over.current = false;
      setRestored(false);
      keepDraft(at.current, undefined);
      return;
    }
    if (over.current) return;
    const plain = Object.entries(form.values).filter(([field]) => !secret.includes(field));
    keepDraft(at.current, { values: Object.fromEntries(plain), onto: base.current });
  });

  const forget = () => {
    // The form may be drawn once more before it is gone.
    over.current = true;
    setRestored(false);
    if (at.current) keepDraft(at.current, undefined);
  };
  return {
    restored,
    discard: () => {
      form.reset();
      forget();
    },
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
