// @vitest-environment jsdom
import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { makeRouter } from "@/app/router";
import { CONSOLE, DOORS, PLACES } from "./pages.ts";

test("every address of the router is known to the tests that walk over all of them", () => {
  const known = Object.keys(makeRouter(new QueryClient()).routesByPath);
  const walked = [
    ...PLACES.map(({ route }) => `/o/$org${route === "/" ? "" : route}`),
    ...DOORS,
    ...CONSOLE.map(({ route }) => route),
    "/operator/orgs/$id",
    "/welcome",
    "/",
  ];
  const plain = (paths: readonly string[]) => [...new Set(paths.map((path) => path.replace(/(?<=.)\/$/, "")))].sort();
  expect(plain(walked)).toEqual(plain(known));
});
