/** What an error is called in the reader's language. */
import { shared } from "@/lib/words/shared";
import { type Language, useLanguage } from "@/lib/words/words";
import { ApiError } from "./error";

/** A sentence about an error. What the API says itself is in English; other languages say it less precisely. */
export function errorText(error: unknown, language: Language): string {
  const words = shared[language].errors;
  if (!(error instanceof ApiError)) return error instanceof Error && language === "en" ? error.message : words.internal;
  switch (error.code) {
    case "unreachable":
      return words.unreachable;
    case "not_found":
      return words.notFound;
    case "stale":
      return words.stale;
    case "internal":
      return words.internal;
    case "rate_limited":
      return words.rateLimited(error.retryAfter ?? 60);
    case "busy":
      return words.busy;
    case "forbidden":
      return language === "en" ? error.message : words.forbidden;
    default:
      return error.message;
  }
}

/** The same for components. */
export function useErrorText(): (error: unknown) => string {
  const language = useLanguage();
  return (error) => errorText(error, language);
}
