import { expect, test } from "vitest";
import { eventsOf } from "./event-stream";

function bodyOf(...chunks: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
}

test("events come whole, however the stream is cut", async () => {
  const body = bodyOf(
    ": listening\n\nevent: del",
    'ta\ndata: {"content":"a\\nb"}\n',
    '\nevent: message\ndata: {"id":1}\n\nevent: cut',
  );
  const found = [];
  for await (const event of eventsOf(body)) found.push(event);
  expect(found).toEqual([
    { event: "delta", data: { content: "a\nb" } },
    { event: "message", data: { id: 1 } },
  ]);
});
