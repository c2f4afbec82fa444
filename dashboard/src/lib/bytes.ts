/** The API names places in a text by bytes of its UTF-8, which no string of the browser is counted in. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A part of a text, from one byte to another. */
export interface Span {
  start: number;
  end: number;
}

/** A text that can be cut at bytes. */
export function cuttable(text: string): { length: number; cut: (span: Span) => string } {
  const bytes = encoder.encode(text);
  // Most texts have one byte a character: those are cut as they stand.
  const plain = bytes.length === text.length;
  return {
    length: bytes.length,
    cut: ({ start, end }) => (plain ? text.slice(start, end) : decoder.decode(bytes.subarray(start, end))),
  };
}

/** A piece of a text that is marked, or is not. */
export interface Piece {
  text: string;
  marked: boolean;
}

/** Cuts a part of a text where marks begin and end. Marks stand in order and do not overlap. */
export function pieces(text: { cut: (span: Span) => string }, part: Span, marks: readonly Span[]): Piece[] {
  const found: Piece[] = [];
  let at = part.start;
  const add = (end: number, marked: boolean) => {
    if (end > at) found.push({ text: text.cut({ start: at, end }), marked });
    at = Math.max(at, end);
  };
  for (const mark of marks) {
    if (mark.end <= part.start || mark.start >= part.end) continue;
    add(Math.max(mark.start, part.start), false);
    add(Math.min(mark.end, part.end), true);
  }
  add(part.end, false);
  return found;
}

/** Where a quote stands in a passage of a text; the whole passage when it is not found word for word. A quote that was cut ends in “…”. */
export function placeOf(text: { cut: (span: Span) => string }, passage: Span, quote: string | null | undefined): Span {
  const words = quote?.replace(/…$/, "").trim();
  const within = text.cut(passage);
  const at = words ? within.indexOf(words) : -1;
  if (!words || at < 0) return passage;
  const start = passage.start + encoder.encode(within.slice(0, at)).length;
  return { start, end: start + encoder.encode(words).length };
}
