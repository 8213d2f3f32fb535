/** The Python environments that interop tests run in: the oldest and the newest clients people have. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const pythons = {
  oldest: process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python",
  newest: process.env.ZARRSIFT_PYTHON_NEWEST ?? ".venv-newest/bin/python",
} as const;

export const hasPython = (python: string) => existsSync(python);

/** Runs a script of this folder; its last line of output is JSON. What it says on stderr becomes the error. */
export async function runPython<T>(python: string, script: string, ...args: string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  try {
    const { stdout } = await run(python, [path, ...args], { maxBuffer: 1e8 });
    return JSON.parse(stdout.trim().split("\n").at(-1) || "null") as T;
  } catch (error) {
    throw new Error(`${script} failed: ${(error as { stderr?: string }).stderr?.slice(-3000) ?? error}`);
  }
}
