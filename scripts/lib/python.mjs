// Python interpreters and virtual environments for tests and benchmarks.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ROOT, run } from "./run.mjs";

/**
 * The Python interpreters at hand that can make environments, oldest first.
 *
 * @returns {{ path: string, minor: number }[]} one per 3.x, from 3.11 on
 */
export function findPythons() {
  const found = new Map();
  for (const python of candidates().map(ask)) {
    if (python && python.minor >= 11 && !found.has(python.minor)) found.set(python.minor, python);
  }
  return [...found.values()].sort((a, b) => a.minor - b.minor);
}

function candidates() {
  const named = ["python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"];
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const installed = existsSync(versions) ? readdirSync(versions) : [];
  return [...named, ...installed.map((name) => join(versions, name, "bin/python3"))];
}

/** What `command` says it is; `undefined` where it is no Python 3 or cannot make environments. */
function ask(command) {
  const program = "import sys, venv, ensurepip; print(*sys.version_info[:2], sys.executable)";
  try {
    const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 20_000 };
    const [major, minor, ...path] = execFileSync(command, ["-c", program], options).trim().split(" ");
    return major === "3" ? { path: path.join(" "), minor: Number(minor) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * An environment in `folder` with what the `requirements` file names; made again only when either changes.
 *
 * @param {string} folder relative to the checkout
 * @param {{ path: string }} python
 * @param {string} requirements relative to the checkout
 * @returns {Promise<string>} path of the environment's interpreter
 * @throws {Error} with pip's output when it cannot be made
 */
export async function makeVenv(folder, python, requirements) {
  const home = join(ROOT, folder);
  const stamp = join(home, "zarrsift-stamp");
  const wanted = createHash("sha256")
    .update(`${python.path}\n${readFileSync(join(ROOT, requirements))}`)
    .digest("hex");
  const interpreter = join(home, "bin/python");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && existsSync(interpreter))
    return interpreter;
  process.stderr.write(`making ${folder} (pip install -r ${requirements})\n`);
  rmSync(home, { recursive: true, force: true });
  await step(python.path, ["-m", "venv", home]);
  // Modules are compiled when they are first imported, which most never are.
  const options = ["-q", "--disable-pip-version-check", "--no-compile", "-r", requirements];
  await step(interpreter, ["-m", "pip", "install", ...options]);
  writeFileSync(stamp, wanted);
  return interpreter;
}

async function step(command, args) {
  const { code, output } = await run(command, args, { quiet: true });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
}
