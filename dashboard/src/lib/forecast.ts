/** What a month will come to if it goes on as it has so far; nothing for a month that is over, or that has hardly begun. */
export function forecast(
  spent: number,
  from: string,
  until: string | null | undefined,
  now: number,
): number | undefined {
  if (!until) return undefined;
  const begin = new Date(from).getTime();
  const end = new Date(until).getTime();
  const gone = (now - begin) / (end - begin);
  // In the first hours a single call would stand for thousands.
  if (gone < 0.03 || gone >= 1) return undefined;
  return Math.round(spent / gone);
}
