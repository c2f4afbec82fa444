/**
 * What the tests run against: the real binary with its demo world, in a folder of its own on a free port, and one browser. Both end with
 * the run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server is: `http://127.0.0.1:12345`. */
    address: string;
    /** Where the browser listens. */
    browser: string;
    /** The folder with the server's data. */
    folder: string;
  }
}

/** So that the browser asks nobody outside for anything. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function need(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by scripts/dashboard e2e`);
  return value;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** The environment of the program: none of the settings that somebody may have around. */
export function environment(folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("ROWHOUSE_") && !name.endsWith("_API_KEY"),
  );
  return {
    ...Object.fromEntries(kept),
    ROWHOUSE_DATA: join(folder, "data"),
    ROWHOUSE_MASTER_KEY_FILE: join(folder, "master.key"),
  };
}

async function serve(folder: string): Promise<{ address: string; server: ChildProcess }> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const server = spawn(need("ROWHOUSE_BINARY"), ["serve"], {
    cwd: folder,
    env: {
      ...environment(folder),
      ROWHOUSE_LISTEN: `127.0.0.1:${port}`,
      ROWHOUSE_DEMO: "on",
      ROWHOUSE_METRICS_LISTEN: "off",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes("Stop it with Ctrl-C")) resolve();
    };
    server.stdout?.on("data", hear);
    server.stderr?.on("data", hear);
    server.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
  return { address, server };
}

export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "rowhouse-e2e-"));
  const { address, server } = await serve(folder);
  const browser = await chromium.launchServer({ executablePath: need("ROWHOUSE_BROWSER"), args: QUIET });
  project.provide("address", address);
  project.provide("browser", browser.wsEndpoint());
  project.provide("folder", folder);
  return async () => {
    await browser.close();
    server.removeAllListeners("exit");
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}
