import { afterEach, beforeEach, expect, test, vi } from "vitest";

type Answer = { status: number; body: unknown } | "lost";
let calls: { method: string; path: string; csrf: string | null; key: string | null }[] = [];
let answers: Answer[] = [];

/** The network, as far as `send` knows it: what it is asked is noted, what it answers is given. */
function network(input: RequestInfo | URL): Promise<Response> {
  const request = new Request(input instanceof Request ? input : new URL(String(input), window.location.origin));
  const path = new URL(request.url).pathname;
  calls.push({
    method: request.method,
    path,
    csrf: request.headers.get("x-rowhouse-csrf"),
    key: request.headers.get("idempotency-key"),
  });
  const next = answers.shift();
  if (!next || next === "lost") return Promise.reject(new TypeError("lost"));
  return Promise.resolve(new Response(JSON.stringify(next.body), { status: next.status }));
}

const refused = (status: number, code: string): Answer => ({ status, body: { error: { code, message: code } } });
const session = (user: string, csrf_token: string): Answer => ({
  status: 200,
  body: { user: { id: user }, csrf_token },
});
const done: Answer = { status: 200, body: { done: true } };
const request = (method = "POST", path = "/api/v1/things") =>
  new Request(`${window.location.origin}${path}`, { method });

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("fetch", network);
  window.localStorage.clear();
  calls = [];
  answers = [];
});
afterEach(() => vi.unstubAllGlobals());

async function signedIn() {
  const { began } = await import("@/lib/session/session");
  began({ user: { id: "usr_1", email: "a@example.com", name: "A" }, csrf_token: "old" } as never);
  return import("./send");
}

test("a change carries the token of its session, and a key to be repeated by", async () => {
  const { send } = await signedIn();
  answers = [done];
  expect((await send(request())).ok).toBe(true);
  expect(calls[0]?.csrf).toBe("old");
  expect(calls[0]?.key).toMatch(/^[0-9a-f]{32}$/);
});

test("a token that has changed is asked for once, and the change sent again under the same key", async () => {
  const { send } = await signedIn();
  answers = [refused(403, "csrf"), session("usr_1", "new"), done];
  expect((await send(request())).ok).toBe(true);
  expect(calls.map(({ path }) => path)).toEqual(["/api/v1/things", "/api/v1/auth/session", "/api/v1/things"]);
  expect(calls[2]?.csrf).toBe("new");
  expect(calls[2]?.key).toBe(calls[0]?.key);
});

test("a session that is gone is looked for once, and its end told once", async () => {
  const { send, whenExpired } = await signedIn();
  let told = 0;
  whenExpired(() => {
    told += 1;
  });
  answers = [refused(401, "unauthenticated"), refused(401, "unauthenticated")];
  expect((await send(request("GET"))).status).toBe(401);
  expect(told).toBe(1);
  expect(calls).toHaveLength(2);
});

test("an answer that was lost is asked for again when it is safe to, under the same key", async () => {
  const { send } = await signedIn();
  answers = ["lost", done];
  expect((await send(request())).ok).toBe(true);
  expect(calls[1]?.key).toBe(calls[0]?.key);
  calls = [];
  answers = ["lost", done];
  await expect(send(request("DELETE"))).rejects.toMatchObject({ code: "unreachable" });
  expect(calls).toHaveLength(1);
});

test("a fresh factor is asked for, and the change goes on when it was shown", async () => {
  const { send } = await signedIn();
  const stepUp = await import("@/lib/session/step-up");
  const asked = vi.spyOn(stepUp, "askForFactor").mockResolvedValue(true);
  answers = [refused(403, "step_up_needed"), done];
  expect((await send(request())).ok).toBe(true);
  expect(asked).toHaveBeenCalledOnce();
});

test("who signs out, or shows a factor, does it with the token of the session that there is now", async () => {
  const { send } = await signedIn();
  for (const [method, path] of [
    ["DELETE", "/api/v1/auth/session"],
    ["POST", "/api/v1/auth/step-up"],
  ] as const) {
    const token = `of ${path}`;
    calls = [];
    answers = [refused(403, "csrf"), session("usr_1", token), done];
    expect((await send(request(method, path))).ok).toBe(true);
    expect(calls.map(({ csrf }) => csrf)[2]).toBe(token);
  }
});

test("that a session has ended is no news to who ends it, and not looked for by who begins one", async () => {
  const { send, whenExpired } = await signedIn();
  const told = vi.fn();
  whenExpired(told);
  for (const method of ["DELETE", "POST"]) {
    calls = [];
    answers = [refused(401, "unauthenticated")];
    expect((await send(request(method, "/api/v1/auth/session"))).status).toBe(401);
    expect(calls).toHaveLength(1);
  }
  expect(told).not.toHaveBeenCalled();
});

test("a factor that is wrong is an answer", async () => {
  const { send } = await signedIn();
  answers = [refused(401, "invalid_credentials")];
  expect((await send(request("POST", "/api/v1/auth/step-up"))).status).toBe(401);
  expect(calls).toHaveLength(1);
});
