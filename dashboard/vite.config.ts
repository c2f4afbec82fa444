import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.ts";

// The server that `npm run dev` shows the pages of; `make run` starts one there.
const SERVER = process.env.ROWHOUSE_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": resolve(import.meta.dirname, "src") } },
  build: {
    // `dist` itself is tracked, empty: the server's build watches it, built or not.
    outDir: "dist/site",
    emptyOutDir: true,
    target: "es2022",
    // `light-dark()` as it stands: what it is lowered to takes no part in the switch of colours.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Nothing as `data:` in the code: the policy of the pages allows it for pictures alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  server: { proxy: { "/api": SERVER, "/v1": SERVER } },
  preview: { proxy: { "/api": SERVER, "/v1": SERVER } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["build/test-setup.ts"],
    isolate: false,
  },
});
