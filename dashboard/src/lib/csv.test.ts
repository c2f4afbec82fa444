import { expect, test } from "vitest";
import { csv } from "./csv";

test("cells are quoted where they must be, and never become formulas", async () => {
  const made = csv([
    ["a,b", 'say "hi"', -3],
    ["=1+1", "plain", 0.5],
  ]);
  const text = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsText(made);
  });
  expect(text).toBe('"a,b","say ""hi""",-3\r\n\'=1+1,plain,0.5\r\n');
});
