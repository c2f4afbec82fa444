/** What the API answers when it does not do what was asked (docs/ERRORS.md). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly status: number,
    /** A stable code, to be decided by. */
    readonly code: string,
    message: string,
    /** The field, parameter or limit that is meant. */
    readonly param?: string,
    /** What an operator finds the request by. */
    readonly requestId?: string,
    /** After how many seconds it makes sense to try again. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

interface Told {
  code?: string;
  message?: string;
  param?: string | null;
  request_id?: string;
}

/** What a refusal says is wrong; `body` is what was read of it. Proxies in between answer in forms of their own. */
export function refusal(response: Response, body: unknown): ApiError {
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfter = seconds > 0 ? seconds : undefined;
  const told: Told = (body as { error?: Told } | null)?.error ?? {};
  return new ApiError(
    response.status,
    told.code ?? "unknown",
    told.message ?? (response.statusText || `HTTP ${response.status}`),
    told.param ?? undefined,
    told.request_id ?? response.headers.get("x-request-id") ?? undefined,
    retryAfter,
  );
}

/** The error that stands for an answer that never came. */
export function unreachable(cause: unknown): ApiError {
  const error = new ApiError(0, "unreachable", "The server cannot be reached.");
  error.cause = cause;
  return error;
}
