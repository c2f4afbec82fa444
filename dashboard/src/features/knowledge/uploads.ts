/**
 * Files on their way to collections. They live beside the pages: whoever looks at another page meanwhile stops nothing. Three are sent at
 * a time; what comes of each is told by its job.
 */
import { useSyncExternalStore } from "react";
import type { Org } from "@/lib/org";
import { addArchive, addFile } from "./api/send-file";

/** Sent at once: enough to fill most lines, few enough that the server refuses none. */
const AT_ONCE = 3;

export interface Upload {
  id: number;
  collection: string;
  file: File;
  state: "waiting" | "sending" | "sent" | "failed";
  /** Whether the same file was there already. */
  same?: boolean;
  job?: string;
  error?: unknown;
}

interface Kept extends Upload {
  org: Org;
  done: () => void;
}

let uploads: readonly Kept[] = [];
let counter = 0;
const listeners = new Set<() => void>();

function become(next: readonly Kept[]) {
  uploads = next;
  for (const listener of listeners) listener();
}

function change(id: number, to: Partial<Upload>) {
  become(uploads.map((upload) => (upload.id === id ? { ...upload, ...to } : upload)));
}

/** All files on their way, or arrived since they were last cleared. */
export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => uploads,
  );
}

/** Sends files to a collection; `done` is called as each has arrived. */
export function upload(org: Org, collection: string, files: readonly File[], done: () => void) {
  const added = files.map((file): Kept => {
    counter += 1;
    return { id: counter, org, collection, file, state: "waiting", done };
  });
  become([...uploads, ...added]);
  pump();
}

/** Sends one again that failed. */
export function uploadAgain(id: number) {
  change(id, { state: "waiting", error: undefined });
  pump();
}

/** Forgets one whose document is gone. */
export function forgetUpload(job: string) {
  become(uploads.filter((one) => one.job !== job));
}

/** Forgets those of a collection that are in the list for nothing but being read. */
export function clearUploads(collection: string) {
  become(uploads.filter((one) => one.collection !== collection || one.state === "waiting" || one.state === "sending"));
}

function pump() {
  const sending = uploads.filter(({ state }) => state === "sending").length;
  for (const next of uploads.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - sending)) void send(next);
}

async function send({ id, org, collection, file, done }: Kept) {
  change(id, { state: "sending" });
  try {
    if (/\.zip$/i.test(file.name)) {
      const job = await addArchive(org, collection, file);
      change(id, { state: "sent", job: job.id });
    } else {
      const { job_id } = await addFile(org, collection, file);
      change(id, { state: "sent", job: job_id ?? undefined, same: !job_id });
    }
    done();
  } catch (error) {
    change(id, { state: "failed", error });
  }
  pump();
}
