/** Calendar days and months, as addresses and the API name them: `2026-11-23`, `2026-11`. */

/** When a day begins where the reader is, or the one so many days later; nothing for what is no day. */
export function startOfDay(day: string | undefined, later = 0): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? "");
  if (!parts) return undefined;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The month that it is at a time in a time zone; in UTC, when the browser does not know the zone. */
export function monthAt(time: string | number, timeZone: string): string {
  const at = new Date(time);
  try {
    const parts = new Intl.DateTimeFormat("en", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      year: "numeric",
      month: "2-digit",
    }).formatToParts(at);
    const part = (wanted: string) => parts.find(({ type }) => type === wanted)?.value;
    return `${part("year")}-${part("month")}`;
  } catch {
    return at.toISOString().slice(0, 7);
  }
}

/** A month and those before it, as many as are asked for. */
export function monthsTo(month: string, count: number): string[] {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return Array.from({ length: count }, (_, back) =>
    new Date(Date.UTC(year, number - 1 - back, 1)).toISOString().slice(0, 7),
  );
}
