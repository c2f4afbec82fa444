/** Numbers, money, sizes and times as the reader's language and time zone have them. */
import { useMemo } from "react";
import { type Language, useLanguage } from "@/lib/words/words";

/** What a budget, a price or a cost is counted in: millionths of the currency. */
const MICROS = 1_000_000;
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export type Format = ReturnType<typeof formats>;

/** Formats for a language; times are shown in the browser's time zone unless another is given. */
export function formats(language: Language, timeZone?: string) {
  const locale = window.navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
  const number = new Intl.NumberFormat(locale);
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
  const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const months = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  return {
    locale,
    number: (value: number) => number.format(value),
    /** Large numbers in short: 12.3K. */
    compact: (value: number) => compact.format(value),
    /** A share of one: 0.25 is 25 %. */
    percent: (share: number) => percent.format(share),
    /** An amount in millionths of a currency. Small amounts keep the digits that make them differ from nothing. */
    money: (micros: number, currency: string) => {
      const amount = micros / MICROS;
      const small = amount !== 0 && Math.abs(amount) < 0.1;
      return new Intl.NumberFormat(locale, {
        style: "currency",
        currency,
        ...(small ? { maximumSignificantDigits: 3 } : {}),
      }).format(amount);
    },
    bytes: (bytes: number) => {
      let at = 0;
      let value = bytes;
      while (value >= 1000 && at < SIZES.length - 1) {
        value /= 1000;
        at += 1;
      }
      return new Intl.NumberFormat(locale, {
        style: "unit",
        unit: SIZES[at],
        unitDisplay: at === 0 ? "long" : "short",
        maximumFractionDigits: value < 10 && at > 0 ? 1 : 0,
      }).format(value);
    },
    /** A short time, in seconds. */
    seconds: (seconds: number) =>
      new Intl.NumberFormat(locale, {
        style: "unit",
        unit: seconds < 1 ? "millisecond" : "second",
        maximumFractionDigits: seconds < 1 || seconds >= 10 ? 0 : 1,
      }).format(seconds < 1 ? seconds * 1000 : seconds),
    date: (time: string) => date.format(new Date(time)),
    /** A calendar day as the API names it, `2026-11-23`, in short; it belongs to no time zone. */
    dayOf: (day: string) => short.format(new Date(`${day}T00:00:00Z`)),
    /** A month as the API names it: `2026-11`. */
    monthOf: (month: string) => months.format(new Date(`${month}-01T00:00:00Z`)),
    dateTime: (time: string) => dateTime.format(new Date(time)),
    /** How long ago or ahead: “3 hours ago”. */
    ago: (time: string, now = Date.now()) => {
      const seconds = (new Date(time).getTime() - now) / 1000;
      for (const [unit, length] of UNITS) {
        if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
      }
      return relative.format(0, "minute");
    },
  };
}

/** Formats in the language in use. */
export function useFormat(): Format {
  const language = useLanguage();
  return useMemo(() => formats(language), [language]);
}
