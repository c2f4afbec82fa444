/** Server-sent events, read with fetch: `EventSource` cannot say which organisation it means. */
import { answer } from "./client";

/** An event; `data` is the JSON that came with it. */
export interface StreamEvent {
  event: string;
  data: unknown;
}

/** The body of a call that answers with a stream (`parseAs: "stream"`), or the error that it was refused with. */
export async function streamOf(
  call: Promise<{ data?: unknown; error?: unknown; response: Response }>,
): Promise<ReadableStream<Uint8Array>> {
  const body = (await answer(call)) as ReadableStream<Uint8Array> | null;
  if (!body) throw new Error("The answer is no stream.");
  return body;
}

/** The events of a stream, one by one, until it ends. Comments are left out. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const whole = rest.split(/\r?\n\r?\n/);
      rest = whole.pop() ?? "";
      for (const text of whole) {
        const event = read(text);
        if (event) yield event;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function read(text: string): StreamEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length > 0 ? { event, data: JSON.parse(data.join("\n")) } : undefined;
}
