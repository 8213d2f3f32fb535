// The browser bundle: the library and zarrita as ES modules that share their chunks, codecs in chunks that load late.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { ROOT } from "./run.mjs";

/**
 * Bundles src/index.ts and zarrita for browsers. Icechunk, megabytes of WebAssembly, is left out.
 *
 * @param {string} to the folder that gets `zarrsift.js`, `zarrita.js` and their chunks
 * @returns {Promise<{ name: string, code: string, imports: string[], late: string[] }[]>} the files; `imports` load
 *   with a file, `late` when a codec or a kind of source is first met
 */
export async function bundle(to) {
  const built = await rolldown({
    input: { zarrsift: join(ROOT, "src/index.ts"), zarrita: "zarrita" },
    platform: "browser",
    plugins: [emptyFiles()],
    cwd: ROOT,
  });
  const { output } = await built.write({
    dir: to,
    format: "es",
    minify: true,
    chunkFileNames: "chunks/[name]-[hash].js",
  });
  await built.close();
  return output.map(({ fileName, code, imports, dynamicImports }) => {
    return { name: fileName, code, imports, late: dynamicImports };
  });
}

/** What package.json's `browser` field says, which names the compiled files, applied to the sources. */
function emptyFiles() {
  const { browser } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const files = Object.keys(browser).map((path) =>
    join(ROOT, path.replace("dist", "src").replace(".js", ".ts")),
  );
  return {
    name: "browser-field",
    load: (id) => (files.includes(id) ? { code: "export {};", moduleType: "js" } : undefined),
  };
}

/**
 * Bytes that a page transfers, gzipped.
 *
 * @param {Awaited<ReturnType<typeof bundle>>} files
 * @param {string} entry
 * @returns {{ first: number, all: number }} to load `entry`; with everything that may follow
 */
export function transferred(files, entry) {
  const sum = (names) =>
    files.filter(({ name }) => names.has(name)).reduce((total, { code }) => total + gzipSync(code).length, 0);
  return { first: sum(reached(files, entry, false)), all: sum(reached(files, entry, true)) };
}

function reached(files, entry, late, seen = new Set()) {
  const file = files.find(({ name }) => name === entry);
  if (!file || seen.has(entry)) return seen;
  seen.add(entry);
  for (const next of [...file.imports, ...(late ? file.late : [])]) reached(files, next, late, seen);
  return seen;
}
