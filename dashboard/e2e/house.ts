/**
 * What the tests run against: the real binary with its demo world, in a folder of its own on a free port, and one browser. Both end with
 * the run. On PostgreSQL it has a database and roles of its own, which end with it, too.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserServer, chromium } from "playwright-core";
import postgres from "postgres";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server is: `http://127.0.0.1:12345`. */
    address: string;
    /** Where the browser listens. */
    browser: string;
    /** The folder with the server's data. */
    folder: string;
    /** The settings by which other commands of the program find the same data. */
    settings: Record<string, string>;
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

/** The environment of the program: these settings, and none that somebody may have around. */
export function environment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("ROWHOUSE_") && !name.endsWith("_API_KEY"),
  );
  return { ...Object.fromEntries(kept), ...settings };
}

/** A database of its own on the server that the tests were given, and how to take it away again. */
async function database(): Promise<{ settings: Record<string, string>; remove: () => Promise<void> }> {
  const server = need("ROWHOUSE_TEST_POSTGRES_URL");
  const name = `rowhouse_e2e_${randomBytes(6).toString("hex")}`;
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    settings: { ROWHOUSE_DATABASE_URL: url.href, ROWHOUSE_DATABASE_ROLE_PREFIX: name },
    remove: async () => {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      const roles = ["app", "control", "ops", "eraser"].map((role) => `${name}_${role}`);
      await admin.unsafe(`DROP ROLE IF EXISTS ${roles.join(", ")}`);
      await admin.end();
    },
  };
}

async function serve(
  folder: string,
  settings: Record<string, string>,
): Promise<{ address: string; server: ChildProcess }> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const server = spawn(need("ROWHOUSE_BINARY"), ["serve"], {
    cwd: folder,
    env: {
      ...environment(settings),
      ROWHOUSE_LISTEN: `127.0.0.1:${port}`,
      ROWHOUSE_DEMO: "on",
      ROWHOUSE_METRICS_LISTEN: "off",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Whoever interrupts the run leaves no server behind.
  process.once("exit", () => server.kill("SIGKILL"));
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

/**
 * A browser of its own. While it starts, Chromium writes to its environment in one thread and reads it in others; seldom it dies of that
 * (SIGSEGV in `getenv`) before it has said a word. Then another is started, which is said.
 */
async function browse(): Promise<BrowserServer> {
  for (let started = 1; ; started++) {
    try {
      return await chromium.launchServer({
        executablePath: need("ROWHOUSE_BROWSER"),
        args: [...QUIET, ...(process.env.E2E_FLAGS?.split(" ") ?? [])],
      });
    } catch (error) {
      if (started === 3) throw error;
      console.warn(`the browser did not start, once more: ${error}`);
    }
  }
}

export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "rowhouse-e2e-"));
  const stored = project.name === "postgres" ? await database() : { settings: {}, remove: async () => {} };
  const settings = {
    ROWHOUSE_DATA: join(folder, "data"),
    ROWHOUSE_MASTER_KEY_FILE: join(folder, "master.key"),
    ...stored.settings,
  };
  const { address, server } = await serve(folder, settings);
  const browser = await browse();
  project.provide("address", address);
  project.provide("browser", browser.wsEndpoint());
  project.provide("folder", folder);
  project.provide("settings", settings);
  return async () => {
    await browser.close();
    server.removeAllListeners("exit");
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    await stored.remove();
    rmSync(folder, { recursive: true, force: true });
  };
}
