import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: resolve(import.meta.dirname, ".."),
  test: {
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["e2e/house.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A browser and a server share the machine with them.
    maxWorkers: 2,
    retry: 0,
  },
});
