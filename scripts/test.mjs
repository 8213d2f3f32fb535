// `npm test [-- PATTERN]`: set-up, lint, types, Python environments, vitest. The last line is the count alone.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPythons, makeVenv } from "./lib/python.mjs";
import { npm, ROOT, run } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const OLD_ENOUGH = 12; // zarr 3.2 and newer need Python 3.12

/** What failed outside vitest, a line each. */
const problems = [];

async function main() {
  const environments = pythonEnvironments(); // mostly waits for downloads, while the rest is set up
  if (!(await setup())) problems.push("the build");
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"];
  await Promise.all([
    check("lint", ...npm("run", "--silent", "lint")),
    check("types", process.execPath, tsc),
  ]);
  report(await unitTests(await environments));
}

async function check(what, command, args) {
  const { code, output } = await run(command, args, { quiet: true });
  process.stderr.write(code === 0 ? `${what}: ok\n` : `${what}: failed\n${output}\n`);
  if (code !== 0) problems.push(what);
}

/**
 * ZARRSIFT_PYTHON (the oldest clients we support), ZARRSIFT_PYTHON_NEWEST (what pip gives today) and
 * ZARRSIFT_PYTHON_PEERS (engines to compare with; without them those comparisons are skipped).
 */
async function pythonEnvironments() {
  const pythons = findPythons();
  if (pythons.length === 0) {
    problems.push(
      "Python: no python3 of 3.11 or newer with venv was found, so no test could read with zarr-python",
    );
    return {};
  }
  const env = {};
  const newest = pythons.filter(({ minor }) => minor >= OLD_ENOUGH).at(-1);
  await Promise.all([
    environment(env, "ZARRSIFT_PYTHON", ".venv", pythons[0], "scripts/python/tests.txt"),
    newest && environment(env, "ZARRSIFT_PYTHON_NEWEST", ".venv-newest", newest, "scripts/python/newest.txt"),
    peers(env, newest ?? pythons[0]),
  ]);
  return env;
}

/** Not every platform has wheels of these, so that doing without is no failure. */
async function peers(env, python) {
  try {
    env.ZARRSIFT_PYTHON_PEERS =
      process.env.ZARRSIFT_PYTHON_PEERS ??
      (await makeVenv(".venv-peers", python, "scripts/python/peers.txt"));
  } catch (error) {
    process.stderr.write(`no engines to compare with: .venv-peers: ${error.message}\n`);
  }
}

async function environment(env, name, folder, python, requirements) {
  try {
    env[name] = process.env[name] ?? (await makeVenv(folder, python, requirements));
  } catch (error) {
    problems.push(`${folder}: ${error.message}`);
  }
}

async function unitTests(env) {
  const scratch = mkdtempSync(join(tmpdir(), "zarrsift-test-"));
  const result = join(scratch, "result.json");
  const reporters = ["--reporter=default", `--reporter=${join(ROOT, "scripts/lib/reporter.mjs")}`];
  const args = ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...process.argv.slice(2)];
  const { code } = await run(process.execPath, args, { env: { ...env, ZARRSIFT_TEST_RESULT: result } });
  const tally = existsSync(result)
    ? JSON.parse(readFileSync(result, "utf8"))
    : { passed: 0, failed: 0, skipped: 0 };
  rmSync(scratch, { recursive: true });
  if (code !== 0 && tally.failed === 0) problems.push(`vitest ended with status ${code}`);
  return tally;
}

function report({ passed, failed, skipped, reasons = {} }) {
  for (const [reason, count] of Object.entries(reasons)) console.log(`skipped ${count}: ${reason}`);
  for (const problem of problems) console.log(`failed: ${problem}`);
  console.log(`${passed} passed, ${failed + problems.length} failed, ${skipped} skipped`);
  process.exitCode = failed + problems.length > 0 ? 1 : 0;
}

await main();
