import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The built command; `npm test` builds it first. */
export const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
export const built = existsSync(PROGRAM);

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `zarrsift …words`, in the folder `cwd`; `program`: another build of it. */
export function start(
  words: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
  program = PROGRAM,
): ChildProcess {
  const options = {
    env: { ...process.env, ...env },
    stdio: "pipe" as const,
    ...(cwd !== undefined && { cwd }),
  };
  return spawn(process.execPath, [program, ...words], options);
}

/** Waits for a program that was started to end. */
export function outcome(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs `zarrsift …words` to its end. */
export function zarrsift(...words: string[]): Promise<Outcome> {
  return outcome(start(words));
}

/** The first line of a program's stdout that matches. */
export function lineFrom(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (chunk) => {
      text += chunk;
      const found = text.split("\n").find((line) => pattern.test(line));
      if (found !== undefined) resolve(found);
    });
    child.on("close", (code) =>
      reject(new Error(`ended with status ${code} before ${pattern}; it said: ${text}`)),
    );
  });
}
