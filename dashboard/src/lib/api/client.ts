/** Typed calls of the documented API: paths, bodies and answers come from docs/openapi.json (`make generate`). */
import createClient, { type Client } from "openapi-fetch";
import { refusal } from "./error";
import type { components, paths } from "./schema";
import { send } from "./send";

export type Api = Client<paths>;
/** The types of the API's bodies, by name. */
export type Schemas = components["schemas"];
/** One thing that somebody may do. */
export type Permission = Schemas["Permission"];

const clients = new Map<string, Api>();

/** Calls that are about a person, or about nobody yet: no organisation is named. */
export const api: Api = make({});

/**
 * Calls inside an organisation. Which one is said with each request, from the address of the page that sends it: a tab that was left open
 * at one organisation writes to that one, or nowhere.
 */
export function orgApi(id: string): Api {
  let client = clients.get(id);
  if (!client) {
    client = make({ "x-rowhouse-org": id });
    clients.set(id, client);
  }
  return client;
}

function make(headers: Record<string, string>): Api {
  return createClient<paths>({ baseUrl: window.location.origin, credentials: "same-origin", headers, fetch: send });
}

/** The answer of a call, or the [`ApiError`] that it was refused with. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw refusal(response, error);
  return data as T;
}
