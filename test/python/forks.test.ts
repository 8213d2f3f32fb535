/** Scripts run in forks fail as loudly as they do by themselves. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hasPython, pythons } from "../interop/python.ts";
import { runScript } from "./forks.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-forks-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(code: string, ...args: string[]): Promise<string> {
  const script = join(folder, "script.py");
  writeFileSync(script, code);
  return runScript(pythons.oldest, script, ...args);
}

test.skipIf(!hasPython(pythons.oldest))("a script in a fork says what it does, or why not", async () => {
  expect(await run("import sys; print(__name__, sys.argv[1:])", "a b", "é")).toBe("__main__ ['a b', 'é']\n");
  await expect(run("import sys; sys.exit('different')")).rejects.toThrow(/status 1.*different/);
  await expect(run("raise ValueError('bad')")).rejects.toThrow(/status 1.*ValueError: bad/s);
  await expect(run("import os; os.kill(os.getpid(), 9)")).rejects.toThrow("status -9");
  await expect(runScript(pythons.oldest, join(folder, "none.py"))).rejects.toThrow("No such file");
  await expect(runScript(join(folder, "no-python"), "x.py")).rejects.toThrow("ENOENT");
});
