/** The Python of the engines that answers are compared with, and the collections that both sides read. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runJson } from "../duckdb.ts";

/** Interpreter of scripts/python/peers.txt. */
export const PYTHON = process.env.ZARRSIFT_PYTHON_PEERS ?? ".venv-peers/bin/python";

/** Whether it has these modules. */
export const hasModules = (...names: string[]) =>
  spawnSync(PYTHON, ["-c", `import ${names.join(", ")}`]).status === 0;

/** A collection of make_collection.py in a folder of its own, and shapes for queries, as WKT. */
export function madeCollection(seed: number, rows: number, ...options: string[]) {
  const folder = join(mkdtempSync(join(tmpdir(), "zarrsift-peers-")), "made.zarr");
  const { shapes } = runJson<{ shapes: string[] }>(
    PYTHON,
    "peers/make_collection.py",
    `${seed}`,
    `${rows}`,
    folder,
    ...options,
  );
  return { folder, shapes };
}
