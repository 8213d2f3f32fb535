/** The Python environments that interop tests run in: the oldest and the newest clients people have. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fixture } from "../python/fixtures.ts";
import { runScript } from "../python/forks.ts";

export const pythons = {
  oldest: process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python",
  newest: process.env.ZARRSIFT_PYTHON_NEWEST ?? ".venv-newest/bin/python",
} as const;

export const hasPython = (python: string) => existsSync(python);

/** Runs a script of this folder; its last line of output is JSON. What it says on stderr becomes the error. */
export async function runPython<T>(python: string, script: string, ...args: string[]): Promise<T> {
  const stdout = await runScript(python, pathOf(script), ...args);
  return JSON.parse(stdout.trim().split("\n").at(-1) || "null") as T;
}

/** The folder that a script of this folder makes, with the oldest Python: read it, never change it. */
export function madeBy(script: string): Promise<string> {
  return fixture(pythons.oldest, pathOf(script));
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}
