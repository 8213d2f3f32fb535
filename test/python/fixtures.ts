/** What Python scripts make, once in a run, for all the test files that read it. None of them may change it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { runScript } from "./forks.ts";

/**
 * The folder that `python script FOLDER` makes.
 *
 * @param script path of the script; whichever test file asks first runs it, the others wait
 * @throws {Error} what the script said, where it failed
 */
export async function fixture(python: string, script: string): Promise<string> {
  const folder = join(inject("scratch"), basename(script, ".py"));
  const failed = `${folder}.failed`;
  if (isFirst(`${folder}.begun`)) await make(python, script, folder, failed);
  while (!existsSync(folder) && !existsSync(failed)) await sleep(50);
  if (existsSync(failed)) throw new Error(readFileSync(failed, "utf8"));
  return folder;
}

function isFirst(mark: string): boolean {
  try {
    mkdirSync(mark);
    return true;
  } catch {
    return false;
  }
}

async function make(python: string, script: string, folder: string, failed: string): Promise<void> {
  try {
    await runScript(python, script, `${folder}.part`);
    renameSync(`${folder}.part`, folder);
  } catch (error) {
    writeFileSync(failed, String(error));
  }
}
