import { useForm } from "@mantine/form";
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { began } from "@/lib/session/session";
import { useDraft } from "./drafts";

interface Values extends Record<string, unknown> {
  name: string;
  key: string;
}

/** A form that makes something, or with `of` changes it. */
function shown(name: string, of?: Values) {
  const { result, unmount } = renderHook(() => {
    const form = useForm<Values>({ initialValues: of ?? { name: "", key: "" } });
    return { form, draft: useDraft(form, name, { secret: ["key"], onto: of && form.getInitialValues() }) };
  });
  return {
    values: () => result.current.form.values,
    restored: () => result.current.draft.restored,
    type: (values: Partial<Values>) => act(() => result.current.form.setValues(values)),
    discard: () => act(() => result.current.draft.discard()),
    forget: () => act(() => result.current.draft.forget()),
    close: unmount,
  };
}

beforeEach(() => began({ user: { id: "usr_1" }, csrf_token: "t" } as never));
afterEach(() => {
  cleanup();
  window.sessionStorage.clear();
});

test("what was typed is put back where it was typed, but for secrets, and that is said", () => {
  const before = shown("thing-in-a");
  expect(before.restored()).toBe(false);
  before.type({ name: "half", key: "secret" });
  before.close();
  const other = shown("thing-in-b");
  expect([other.values().name, other.restored()]).toEqual(["", false]);
  other.close();
  const again = shown("thing-in-a");
  expect([again.values(), again.restored()]).toEqual([{ name: "half", key: "" }, true]);
});

test("what was put back can be discarded, and stays away", () => {
  const before = shown("thing");
  before.type({ name: "half" });
  before.close();
  const again = shown("thing");
  again.discard();
  expect([again.values().name, again.restored()]).toEqual(["", false]);
  again.close();
  expect(shown("thing").restored()).toBe(false);
});

test("what was sent, or emptied, is no draft", () => {
  for (const end of ["forget", "empty"] as const) {
    const before = shown("thing");
    before.type({ name: "half" });
    if (end === "forget") before.forget();
    else before.type({ name: "" });
    before.close();
    const again = shown("thing");
    expect([end, again.values().name, again.restored()]).toEqual([end, "", false]);
    again.close();
  }
});

test("a change is put back onto what it was a change of, not over somebody else's", () => {
  const before = shown("thing-1", { name: "old", key: "" });
  before.type({ name: "mine" });
  before.close();
  const same = shown("thing-1", { name: "old", key: "" });
  expect([same.values().name, same.restored()]).toEqual(["mine", true]);
  same.close();
  const changed = shown("thing-1", { name: "theirs", key: "" });
  expect([changed.values().name, changed.restored()]).toEqual(["theirs", false]);
});
