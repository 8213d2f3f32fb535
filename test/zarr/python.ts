import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The interpreter that tests compare against; `undefined` where there is none, and such tests are skipped. */
export const PYTHON = [process.env.ZARRSIFT_PYTHON, `${root}.venv/bin/python`].find(
  (path) => path && existsSync(path),
);

/** Standard output of `test/fixtures/<script>` with `args`. */
export function python(script: string, ...args: string[]): string {
  return execFileSync(PYTHON!, [`${root}test/fixtures/${script}`, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
}
