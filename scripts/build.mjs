// dist/ from src/: type-checks, compiles, marks the command executable, bundles for browsers.
import { chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isMain, ROOT, run } from "./lib/run.mjs";

/** @returns {Promise<boolean>} whether it compiled and could be bundled; messages are on stderr where not */
export async function build() {
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { code, output } = await run(process.execPath, [tsc, "-p", "tsconfig.json"], { quiet: true });
  const command = join(ROOT, "dist/cli/main.js");
  if (existsSync(command)) chmodSync(command, 0o755);
  if (code !== 0) process.stderr.write(`${output}the build failed\n`);
  return code === 0 && bundled();
}

/** The bundler is loaded late: set-up installs it just before. */
async function bundled() {
  try {
    const { bundle } = await import("./lib/bundle.mjs");
    await bundle(join(ROOT, "dist/browser"));
    return true;
  } catch (error) {
    process.stderr.write(`${error.message}\nthe browser bundle failed\n`);
    return false;
  }
}

if (isMain(import.meta.url)) process.exitCode = (await build()) ? 0 : 1;
