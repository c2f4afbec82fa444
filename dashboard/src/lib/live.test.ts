import { expect, test } from "vitest";
import { type LiveEvent, takeEvents } from "./live";

function taken(...parts: string[]) {
  const events: LiveEvent[] = [];
  let rest = "";
  for (const part of parts) rest = takeEvents(rest + part, (event) => events.push(event));
  return { events, rest };
}

test("events come whole however the stream is cut", () => {
  const { events, rest } = taken(": listening\n\nevent: chan", 'ged\ndata: {"changed":["teams"]}\n', "\nevent: us");
  expect(events).toEqual([{ name: "changed", data: '{"changed":["teams"]}' }]);
  expect(rest).toBe("event: us");
});

test("signs of life are no events", () => {
  expect(taken(": alive\n\n", ": alive\n\n").events).toEqual([]);
});

test("data may stand in several lines", () => {
  expect(taken("data: a\ndata: b\r\n\r\n").events).toEqual([{ name: "message", data: "a\nb" }]);
});
