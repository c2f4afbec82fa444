import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** What the engine below could make different, but for their `onEmbedded` tests; the rest is the browser's matter. */
const ON_POSTGRES = ["ask", "knowledge", "people", "sign-in", "strangers"];

const house = { globalSetup: ["e2e/house.ts"] };

export default defineConfig({
  root: resolve(import.meta.dirname, ".."),
  resolve: { alias: { "@": resolve(import.meta.dirname, "../src") } },
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 100 } },
    // A browser and a server share the machine with them.
    maxWorkers: 2,
    // Files that run in one process have its browser in common (`visit.ts`).
    isolate: false,
    // As nextest's profile `ci`: once more, and it says so.
    retry: process.env.CI ? 1 : 0,
    projects: [
      { extends: true, test: { ...house, name: "embedded", include: ["e2e/**/*.test.ts"] } },
      // Without a server there is one engine; scripts/dashboard says so.
      ...(process.env.ROWHOUSE_TEST_POSTGRES_URL
        ? [
            {
              extends: true as const,
              test: {
                ...house,
                name: "postgres",
                include: ON_POSTGRES.map((name) => `e2e/${name}.test.ts`),
              },
            },
          ]
        : []),
    ],
  },
});
