import { answer, type Schemas } from "@/lib/api/client";
import type { Org } from "@/lib/org";

export type Job = Schemas["Job"];

/** How far a job is, also at its end. */
export function getJob(org: Org, id: string, signal: AbortSignal): Promise<Job> {
  return answer(org.api.GET("/api/v1/jobs/{id}", { params: { path: { id } }, signal }));
}
