/** What is under way in a collection, as its stream tells it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { ApiError } from "@/lib/api/error";
import { useLive } from "@/lib/live";
import { useOrg } from "@/lib/org";
import { getJob, type Job } from "./api/get-job";
import { documentsKey } from "./api/list-documents";
import { forgetUpload, useUploads } from "./uploads";

/** Lists are read anew at most so often while files come in; the stream has so long to tell of a file before it is asked for. */
const CALM = 1000;
/** What could not be asked for is asked for again, each time after twice as long, up to so many times. */
const DOUBLINGS = 6;

export function isOver(job: Job): boolean {
  return job.state === "embedded" || job.state === "done" || job.state === "failed";
}

/** The jobs of a collection by id, as far as something was told of them while the page is open. */
export function useJobs(collection: string): ReadonlyMap<string, Job> {
  const org = useOrg();
  const queries = useQueryClient();
  const [jobs, setJobs] = useState<ReadonlyMap<string, Job>>(new Map());
  /** The jobs that were told of since the stream was opened, and how often it was. */
  const told = useRef(new Set<string>());
  const [opened, setOpened] = useState(0);
  /** How often on end something was left to ask for. */
  const [left, setLeft] = useState(0);
  const mine = useUploads().flatMap((one) => (one.collection === collection && one.job ? [one.job] : []));

  const refresh = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(refresh.current), []);
  const news = () => {
    refresh.current ??= window.setTimeout(() => {
      refresh.current = undefined;
      void queries.invalidateQueries({ queryKey: documentsKey(org) });
    }, CALM);
  };
  const take = (job: Job) => {
    told.current.add(job.id);
    setJobs((before) => new Map(before).set(job.id, job));
    news();
  };

  useLive(
    `/api/v1/collections/${collection}/events`,
    ({ event, data }) => {
      if (event === "missed") news();
      if (event === "job") take(data as Job);
    },
    () => {
      // It tells of what moves from now on. What it told of before may have ended, or be gone.
      told.current.clear();
      setJobs((before) => new Map([...before].filter(([id, job]) => mine.includes(id) || !isOver(job))));
      setLeft(0);
      setOpened((before) => before + 1);
    },
  );

  // What ended before the stream was opened, or only waits, it does not tell of; and where it is refused it tells nothing.
  const untold = useEffectEvent(async (signal: AbortSignal) => {
    let again = false;
    for (const id of new Set([...mine, ...jobs.keys()])) {
      const known = jobs.get(id);
      if ((opened > 0 && told.current.has(id)) || (known && isOver(known))) continue;
      try {
        const job = await getJob(org, id, signal);
        if (signal.aborted) return;
        if (opened === 0 || !told.current.has(id)) take(job);
        again ||= opened === 0 && !isOver(job);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status === 404) {
          forgetUpload(id);
          setJobs((before) => new Map([...before].filter(([other]) => other !== id)));
        } else again = true;
      }
    }
    setLeft((before) => (again ? before + 1 : 0));
  });
  const wanted = mine.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each opening, each file that was sent, and what was left
  useEffect(() => {
    const control = new AbortController();
    const timer = window.setTimeout(() => void untold(control.signal), CALM * 2 ** Math.min(left, DOUBLINGS));
    return () => {
      window.clearTimeout(timer);
      control.abort();
    };
  }, [opened, wanted, left]);
  return jobs;
}
