import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a Python program of the peers' environment and reads the JSON it prints. */
export async function pythonJson<T>(script: string, args: readonly string[]): Promise<T> {
  const python = process.env.BENCH_PYTHON;
  if (!python) throw new Error("no Python with the peers; run this through `npm run bench`");
  const { stdout } = await execute(python, [script, ...args], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout.trim() === "" ? "null" : stdout) as T;
}

/** A promise's value, or what went wrong as one line. */
export async function attempt<T>(work: Promise<T>): Promise<T | { error: string }> {
  try {
    return await work;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { error: (stderr?.trim().split("\n").at(-1) || message).slice(0, 300) };
  }
}
