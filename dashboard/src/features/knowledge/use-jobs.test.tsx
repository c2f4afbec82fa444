import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OrgProvider, useOrg } from "@/lib/org";
import { clearUploads, upload, useUploads } from "./uploads";
import { useJobs } from "./use-jobs";

const SHELF = "col_1";
/** How the server has a job that is asked for; none when its document is gone. */
let jobs: Record<string, unknown> = {};
let streams: ReadableStreamDefaultController<Uint8Array>[] = [];
let asked: string[] = [];
/** So many questions for a job fail. */
let broken = 0;

function network(input: RequestInfo | URL): Promise<Response> {
  const { method, url } = input as Request;
  const path = new URL(url).pathname.replace("/api/v1/", "");
  asked.push(path);
  if (path === `collections/${SHELF}/events`) {
    const body = new ReadableStream<Uint8Array>({ start: (stream) => void streams.push(stream) });
    return Promise.resolve(new Response(body));
  }
  if (path.startsWith("jobs/") && broken > 0) {
    broken -= 1;
    return Promise.resolve(new Response(JSON.stringify({ error: {} }), { status: 503 }));
  }
  const found = method === "POST" ? { job_id: "job_mine" } : jobs[path];
  return Promise.resolve(new Response(JSON.stringify(found ?? { error: {} }), { status: found ? 200 : 404 }));
}

const job = (id: string, state: string) => ({
  id,
  state,
  kind: "document",
  collection_id: SHELF,
  done: 0,
  total: null,
});
const tell = (what: unknown) =>
  act(async () => {
    streams.at(-1)?.enqueue(new TextEncoder().encode(`event: job\ndata: ${JSON.stringify(what)}\n\n`));
    await vi.advanceTimersByTimeAsync(0);
  });
const wait = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));
const be = (visibility: "visible" | "hidden") =>
  act(async () => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(visibility);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(0);
  });

async function shown() {
  const me = { permissions: [], more: { teams: [], projects: [] }, organizations: [], user: {} };
  const queries = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={queries}>
      <OrgProvider me={me as never} of={{ id: "org_1", slug: "one" } as never}>
        {children}
      </OrgProvider>
    </QueryClientProvider>
  );
  const { result } = renderHook(() => ({ jobs: useJobs(SHELF), org: useOrg(), uploads: useUploads() }), { wrapper });
  await wait(0);
  return {
    states: () => Object.fromEntries([...result.current.jobs.values()].map(({ id, state }) => [id, state])),
    uploads: () => result.current.uploads,
    send: () => act(async () => upload(result.current.org, SHELF, [new File(["text"], "a.txt")], () => {})),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", network);
  jobs = {};
  streams = [];
  asked = [];
  broken = 0;
});
afterEach(() => {
  cleanup();
  clearUploads(SHELF);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("what the stream tells of is not asked for, and what it never told of is, once", async () => {
  const page = await shown();
  await tell(job("job_other", "reading"));
  await page.send();
  jobs["jobs/job_mine"] = job("job_mine", "embedded");
  await wait(3_000);
  expect(page.states()).toEqual({ job_other: "reading", job_mine: "embedded" });
  await wait(10_000);
  expect(asked.filter((path) => path.startsWith("jobs/"))).toEqual(["jobs/job_mine"]);
});

test("nothing is listened to behind another tab, and what ended meanwhile has ended afterwards", async () => {
  const page = await shown();
  await page.send();
  await tell(job("job_mine", "reading"));
  await tell(job("job_other", "reading"));
  await wait(3_000);
  await be("hidden");
  expect(page.states()).toEqual({ job_other: "reading", job_mine: "reading" });
  await wait(60_000);
  expect(streams).toHaveLength(1);
  jobs["jobs/job_mine"] = job("job_mine", "failed");
  await be("visible");
  expect(streams).toHaveLength(2);
  expect(page.states()).toEqual({ job_other: "reading", job_mine: "reading" });
  await wait(3_000);
  expect(page.states(), "the other one's document is gone").toEqual({ job_mine: "failed" });
});

test("what only waits is still under way after another tab, though nothing is told of it", async () => {
  const page = await shown();
  await tell(job("job_other", "queued"));
  jobs["jobs/job_other"] = job("job_other", "queued");
  await be("hidden");
  await be("visible");
  await wait(3_000);
  expect(page.states()).toEqual({ job_other: "queued" });
});

test("one question that fails ends no other, and is asked again", async () => {
  const page = await shown();
  await page.send();
  jobs["jobs/job_mine"] = job("job_mine", "embedded");
  broken = 1;
  await wait(1_500);
  expect(page.states()).toEqual({});
  await wait(3_000);
  expect(page.states()).toEqual({ job_mine: "embedded" });
});

test("a file whose document is gone is no longer under way", async () => {
  const page = await shown();
  await page.send();
  await wait(3_000);
  expect(page.uploads()).toEqual([]);
});
