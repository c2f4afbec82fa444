import { answer } from "@/lib/api/client";
import type { Org } from "@/lib/org";

function formOf(file: File): FormData {
  const form = new FormData();
  form.append("file", file, file.name);
  return form;
}

/** What a form with a file is to the generated types: they know of no files. */
type Body = { file: string };

/** Adds a file as a document of a collection. */
export function addFile(org: Org, collection: string, file: File) {
  const body = formOf(file) as unknown as Body;
  return answer(org.api.POST("/api/v1/collections/{id}/documents", { params: { path: { id: collection } }, body }));
}

/** Adds the files of an archive as documents; gives the job that takes them out. */
export function addArchive(org: Org, collection: string, file: File) {
  const body = formOf(file) as unknown as Body;
  return answer(
    org.api.POST("/api/v1/collections/{id}/documents/archive", { params: { path: { id: collection } }, body }),
  );
}

/** Gives a document a new version. */
export function replaceFile(org: Org, document: string, file: File) {
  const body = formOf(file) as unknown as Body;
  return answer(org.api.PUT("/api/v1/documents/{id}/content", { params: { path: { id: document } }, body }));
}
