// Makes a clone ready to run: dependencies (only where they differ from the lock), Icechunk's fallback, the build.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { isMain, mustRun, npm, ROOT } from "./lib/run.mjs";

const OLDEST_NODE = [20, 19];

/**
 * @param {{ quiet?: boolean }} options `quiet`: say only what takes long
 * @returns {Promise<boolean>} whether the build went through (its messages are on stderr where not)
 */
export async function setup({ quiet = false } = {}) {
  checkNode();
  if (!installed()) await install(quiet);
  const wasm = join(ROOT, "scripts/icechunk-wasm.mjs");
  if (existsSync(wasm)) await mustRun("setting up Icechunk", process.execPath, [wasm], { quiet });
  return build();
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  process.stderr.write(
    `zarrsift needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}\n`,
  );
  process.exit(1);
}

/** Whether node_modules holds what package-lock.json asks for, by npm's own record of what it put there. */
function installed() {
  const wanted = readLock("package-lock.json");
  const present = readLock("node_modules/.package-lock.json");
  if (!wanted || !present || !lockFits(wanted)) return false;
  // Optional packages are built for some platforms only, so their absence says nothing.
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || present[path]?.version === entry.version,
  );
}

async function install(quiet) {
  const lock = readLock("package-lock.json");
  const command = lock && lockFits(lock) ? "ci" : "install";
  process.stderr.write(`installing dependencies (npm ${command})\n`);
  const [program, args] = npm(command, "--no-fund", "--no-audit", "--loglevel=error");
  await mustRun(`npm ${command}`, program, args, { quiet });
}

/** Whether the lock was made from package.json as it is now. */
function lockFits(lock) {
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const kinds = ["dependencies", "devDependencies", "optionalDependencies"];
  return kinds.every((kind) => sorted(own[kind]) === sorted(lock[""]?.[kind]));
}

function sorted(versions = {}) {
  return JSON.stringify(Object.entries(versions).sort());
}

function readLock(path) {
  const file = join(ROOT, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : undefined;
}

if (isMain(import.meta.url)) process.exitCode = (await setup()) ? 0 : 1;
