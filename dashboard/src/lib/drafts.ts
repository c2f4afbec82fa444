/**
 * Half-filled forms, kept in this tab for the person who fills them, so that a session that ends in between costs nobody their words.
 * Secrets are left out by the form that has them.
 */
import { useEffect, useRef } from "react";
import { current } from "@/lib/session/session";

const PREFIX = "rowhouse.draft:";
/** A draft that is larger is not kept; forms are no store. */
const MOST = 64 * 1024;

interface Form<V> {
  values: V;
  setValues: (values: Partial<V>) => void;
  isDirty: () => boolean;
}

function place(name: string): string | undefined {
  const person = current()?.user.id;
  return person && `${PREFIX}${person}:${window.location.pathname}:${name}`;
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
    const kept = at.current && read(at.current);
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
    write(at.current, plain);
  }, [form, secret]);

  const forget = () => {
    // The form may be drawn once more before it is gone.
    over.current = true;
    if (at.current) write(at.current, undefined);
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

/** Forgets all drafts, when a person signs out. */
export function forgetDrafts() {
  try {
    for (const key of Object.keys(window.sessionStorage)) {
      if (key.startsWith(PREFIX)) window.sessionStorage.removeItem(key);
    }
  } catch {
    // There is no storage, so there is nothing in it.
  }
}

function read(key: string): unknown {
  try {
    return JSON.parse(window.sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(key: string, values: unknown) {
  try {
    const text = values === undefined ? undefined : JSON.stringify(values);
    if (text === undefined || text.length > MOST) window.sessionStorage.removeItem(key);
    else window.sessionStorage.setItem(key, text);
  } catch {
    // A draft is a convenience: without storage there is none.
  }
}
