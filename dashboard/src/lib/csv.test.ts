import { expect, test } from "vitest";
import { csv } from "./csv";

test("cells are quoted where they must be, and never become formulas", async () => {
  const text = await new Response(
    csv([
      ["a,b", 'say "hi"', -3],
      ["=1+1", "plain", 0.5],
    ]),
  ).text();
  expect(text).toBe('"a,b","say ""hi""",-3\r\n\'=1+1,plain,0.5\r\n');
});
