// Installs the WASM build of Icechunk where its native library does not load (glibc < 2.38: Debian 12, RHEL 9 …).
//
//   node scripts/icechunk-wasm.mjs [--force]     --force: even where the native library loads
//
// npm leaves packages of another cpu out, and asked for cpu=wasm32 in the project itself it would take the
// native packages away. So the package is installed in a folder of its own, then moved below
// @earthmover/icechunk, which finds it there by itself. There it also has its own @emnapi packages, whose
// versions must not mix. Says one line; never fails a set-up, since only Icechunk repositories need it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGE = "@earthmover/icechunk-wasm32-wasi";
const require = createRequire(import.meta.url);

/** The folder of @earthmover/icechunk, or undefined where it is not installed. */
function icechunkFolder() {
  try {
    return dirname(require.resolve("@earthmover/icechunk"));
  } catch {
    return undefined;
  }
}

/** Whether the binding loads in a fresh process: "native", "wasm" or undefined. */
function loads(folder) {
  const code = `const b = require(process.argv[1]);
    process.stdout.write(b[Symbol.for("napi.rs.wasi.dispose")] ? "wasm" : "native")`;
  const run = spawnSync(process.execPath, ["--no-warnings", "-e", code, folder], { encoding: "utf8" });
  return run.status === 0 ? run.stdout : undefined;
}

/** Runs npm in an empty folder inside `folder` (so that the move is a rename) and moves what it made. */
function install(folder, version) {
  const work = mkdtempSync(join(folder, ".wasm-"));
  try {
    writeFileSync(join(work, "package.json"), '{"private":true}\n');
    const args = [
      "install",
      "--no-save",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--cpu=wasm32",
      "--force",
    ];
    // Inside an npm script npm_config_* name the outer project: this run is about `work` alone.
    const env = { ...process.env, npm_config_prefix: undefined, npm_config_local_prefix: undefined };
    const run = spawnSync("npm", [...args, "--prefix", work, `${PACKAGE}@${version}`], {
      cwd: work,
      env,
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    if (run.status !== 0) throw new Error(`npm cannot install ${PACKAGE}: ${reason(run)}`);
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    moveInto(join(work, "node_modules"), join(folder, "node_modules"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The first line of npm's that is not about codes and logs. */
function reason({ stderr, error }) {
  const lines = (stderr ?? "").split("\n").map((line) => /^npm (?:error|ERR!) (.*)/.exec(line)?.[1] ?? "");
  return (
    lines.find((line) => line !== "" && !/^(code|syscall|errno|A complete log)/.test(line)) ??
    error?.message ??
    "no reason given"
  );
}

function moveInto(from, to) {
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}

function main() {
  const folder = icechunkFolder();
  if (!folder) return "not installed, nothing to do";
  const now = loads(folder);
  if (now === "wasm") return "the WASM build is there and loads";
  if (now === "native" && !process.argv.includes("--force")) return "the native library loads";
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!existsSync(join(folder, "node_modules", PACKAGE))) install(folder, version);
  if (now === "native") return "the WASM build is installed beside the native library";
  if (loads(folder) !== "wasm") throw new Error("its WASM build is installed but does not load");
  return "the native library does not load here, installed the WASM build";
}

try {
  console.error(`icechunk: ${main()}`);
} catch (error) {
  console.error(`icechunk: warning: repositories cannot be read: ${error.message}`);
}
