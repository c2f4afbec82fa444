/**
 * What this tab deletes while it still shows it. Until its page is left nothing asks for it any more: neither the change itself nor the
 * stream that tells everybody of it would find anything but "not found".
 */
import type { QueryKey } from "@tanstack/react-query";

// Ids never come back, so none is taken out but that of what could not be deleted.
const left = new Set<string>();

/** Deletes the thing with this id by `remove`. */
export async function leaving<T>(id: string, remove: () => Promise<T>): Promise<T> {
  left.add(id);
  try {
    return await remove();
  } catch (refused) {
    left.delete(id);
    throw refused;
  }
}

/** Whether an answer is about something that was deleted here: for `invalidateQueries`, which then leaves it alone. */
export function isLeft(key: QueryKey): boolean {
  if (left.size === 0) return false;
  const text = JSON.stringify(key);
  return [...left].some((id) => text.includes(id));
}
