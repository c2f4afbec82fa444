// Holds the scripts that a page needs before it shows something to their bounds, compressed as they are sent: `npm run sizes`,
// after a build. What a page loads later, or another page, does not count.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const SITE = join(import.meta.dirname, "../dist/site");
const KIB = 1024;
const manifest = JSON.parse(readFileSync(join(SITE, ".vite/manifest.json"), "utf8"));

/** The scripts that come with some entries: they and what they import at once. */
function scripts(entries) {
  const found = new Set();
  const visit = (name) => {
    const chunk = manifest[name];
    if (!chunk) throw new Error(`${name} is not in the build`);
    if (found.has(chunk.file)) return;
    found.add(chunk.file);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const entry of entries) visit(entry);
  return [...found].filter((file) => file.endsWith(".js"));
}

function size(files) {
  return files.reduce((sum, file) => sum + statSync(join(SITE, `${file}.br`)).size, 0);
}

const login = ["index.html"];
const shell = [...login, "src/app/frame/frame.tsx"];
const bounds = [
  ["login", login, 200],
  ["shell", shell, 350],
];
let over = false;
for (const [name, entries, most] of bounds) {
  const files = scripts(entries);
  const kib = size(files) / KIB;
  over ||= kib > most;
  console.log(`${name}: ${kib.toFixed(1)} KiB of compressed script in ${files.length} files (at most ${most})`);
}
if (over) {
  console.error("too much script: load what is not needed at once when it is needed (lazyRouteComponent, lazy)");
  process.exit(1);
}
