/**
 * Writes each file of the build a second and a third time, compressed, for the server to carry and to send as they are. Fonts and pictures
 * are compressed in themselves; the first page stays as it is, since the server writes a nonce into it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_IT = /\.(js|css|svg|json|txt|webmanifest)$/;

export function compressed(): Plugin {
  let folder = "";
  return {
    name: "rowhouse-compressed",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!WORTH_IT.test(file)) continue;
        const plain = readFileSync(join(folder, file));
        const parameters = {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
        };
        writeFileSync(join(folder, `${file}.br`), brotliCompressSync(plain, { params: parameters }));
        writeFileSync(join(folder, `${file}.gz`), gzipSync(plain, { level: 9 }));
      }
    },
  };
}
