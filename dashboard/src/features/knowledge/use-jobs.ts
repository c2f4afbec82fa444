/** What is under way in a collection, as its stream tells it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { eventsOf } from "@/lib/api/event-stream";
import { useOrg } from "@/lib/org";
import { followCollection, type Job } from "./api/follow-collection";
import { documentsKey } from "./api/list-documents";

/** After so long a stream that ended is opened again. */
const AGAIN = 3000;
/** Lists are read anew at most so often while files come in. */
const CALM = 1000;

export function isOver(job: Job): boolean {
  return job.state === "embedded" || job.state === "done" || job.state === "failed";
}

/** The jobs of a collection by id, as far as something was told of them while the page is open. */
export function useJobs(collection: string): ReadonlyMap<string, Job> {
  const org = useOrg();
  const queries = useQueryClient();
  const [jobs, setJobs] = useState<ReadonlyMap<string, Job>>(new Map());
  useEffect(() => {
    const control = new AbortController();
    let refresh: number | undefined;
    const news = () => {
      refresh ??= window.setTimeout(() => {
        refresh = undefined;
        void queries.invalidateQueries({ queryKey: documentsKey(org) });
      }, CALM);
    };
    const follow = async () => {
      while (!control.signal.aborted) {
        try {
          for await (const { event, data } of eventsOf(await followCollection(org, collection, control.signal))) {
            if (event !== "job") continue;
            const job = data as Job;
            setJobs((before) => new Map(before).set(job.id, job));
            news();
          }
        } catch {
          // The connection was cut, or too many listen: the list still tells, and this tries again.
        }
        await new Promise((resolve) => window.setTimeout(resolve, AGAIN));
      }
    };
    void follow();
    return () => {
      control.abort();
      window.clearTimeout(refresh);
    };
  }, [org, collection, queries]);
  return jobs;
}
