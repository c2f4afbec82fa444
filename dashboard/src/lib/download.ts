/** Saving an answer of the API as a file. A plain link will not do: it cannot say which organisation it means. */
import { refusal } from "@/lib/api/error";
import { saveFile } from "@/lib/save-file";

/** Saves what a call answers under a name. */
export async function download(call: Promise<{ data?: Blob; error?: unknown; response: Response }>, name: string) {
  const { data, error, response } = await call;
  if (!response.ok || !data) throw refusal(response, error);
  saveFile(data, name);
}
