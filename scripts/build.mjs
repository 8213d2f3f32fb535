// dist/ from src/: type-checks, writes types, bundles for Node and for browsers, marks the command executable.
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isMain, ROOT, run } from "./lib/run.mjs";

/** @returns {Promise<boolean>} whether it is free of type errors and could be bundled; messages are on stderr where not */
export async function build() {
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { code, output } = await run(process.execPath, [tsc, "-p", "tsconfig.json"], { quiet: true });
  if (code !== 0) process.stderr.write(`${output}the build failed\n`);
  return (await bundled()) && code === 0;
}

/** The bundler is loaded late: set-up installs it just before. */
async function bundled() {
  try {
    const [{ bundleProgram }, { bundle }] = await Promise.all([
      import("./lib/program.mjs"),
      import("./lib/bundle.mjs"),
    ]);
    await bundleProgram(join(ROOT, "dist"));
    chmodSync(join(ROOT, "dist/cli/main.js"), 0o755);
    await bundle(join(ROOT, "dist/browser"));
    return true;
  } catch (error) {
    process.stderr.write(`${error.message}\nbundling failed\n`);
    return false;
  }
}

if (isMain(import.meta.url)) process.exitCode = (await build()) ? 0 : 1;
