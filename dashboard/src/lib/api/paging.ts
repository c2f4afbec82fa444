/** Lists come in pages; a page of 50 rows is quick to draw however long the list is. */
import { keepPreviousData, type QueryKey, useQuery } from "@tanstack/react-query";
import { useState } from "react";

/** How many rows a page has. The API gives 200 at the most. */
export const PAGE = 50;

/** A page as the API gives it. */
export interface PageOf<T> {
  data: T[];
  next_cursor?: string | null;
}

/** A list of which one page is shown. */
export interface Pages<T> {
  rows: readonly T[];
  /** Counted from 1. */
  page: number;
  /** Nothing has come yet. */
  isPending: boolean;
  /** Another page is on its way, or the same one anew. */
  isFetching: boolean;
  error: Error | null;
  retry: () => void;
  next: (() => void) | undefined;
  previous: (() => void) | undefined;
}

/**
 * Shows a list page by page. `key` names the list with its filters, the organisation's id first; `fetch` gets a page behind a cursor. With
 * other filters the list begins at its first page.
 */
export function usePages<T>(
  key: QueryKey,
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<PageOf<T>>,
  enabled = true,
): Pages<T> {
  const list = JSON.stringify(key);
  const [place, setPlace] = useState<{ list: string; cursors: string[] }>({ list, cursors: [] });
  const cursors = place.list === list ? place.cursors : [];
  const cursor = cursors.at(-1);
  const query = useQuery({
    queryKey: [...key, "page", cursor ?? null],
    queryFn: ({ signal }) => fetch(cursor, signal),
    placeholderData: keepPreviousData,
    enabled,
  });
  const onward = query.data?.next_cursor;
  return {
    rows: query.data?.data ?? [],
    page: cursors.length + 1,
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    retry: () => void query.refetch(),
    next: onward && !query.isPlaceholderData ? () => setPlace({ list, cursors: [...cursors, onward] }) : undefined,
    previous: cursors.length > 0 ? () => setPlace({ list, cursors: cursors.slice(0, -1) }) : undefined,
  };
}
