import { expect, test } from "vitest";
import { whoSees } from "./who-sees";
import { knowledge } from "./words";

const words = knowledge.en.seen;
const nameOf = (id: string) => (id === "prj_1" ? "Website" : undefined);
const of = (access: "private" | "shared" | "project", project_id: string | null = null, within: string | null = null) =>
  whoSees(words, { access, project_id, within }, nameOf, within ? { name: "Handbook" } : undefined);

test("it is said who sees a document", () => {
  expect(of("private")).toBe("Only you see it.");
  expect(of("shared")).toBe("Seen by the people and teams it is shared with.");
  expect(of("project")).toBe("Seen by everybody in the organisation whose role allows it.");
  expect(of("project", "prj_1")).toBe("Seen by everybody in “Website” whose role allows it.");
  expect(of("project", "prj_2")).toBe("Seen by everybody in “prj_2” whose role allows it.");
});

test("what a source brought for readers of its own is theirs, whatever the collection says", () => {
  for (const access of ["private", "shared", "project"] as const) {
    expect(of(access, "prj_1", "col_1")).toBe(
      "Its source says who reads it: seen by those of its readers who see “Handbook”, and by nobody else.",
    );
  }
  expect(whoSees(words, { access: "project", project_id: null, within: "col_1" }, nameOf)).not.toContain("undefined");
});
