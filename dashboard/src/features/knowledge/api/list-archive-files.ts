import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** What became of the files of an archive: the first 200, which is a page of the API. */
export function useArchiveFiles(job: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "jobs", job, "files"],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/jobs/{id}/files", { params: { path: { id: job }, query: { limit: 200 } }, signal })),
  });
}
