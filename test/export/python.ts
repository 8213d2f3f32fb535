import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runScript } from "../python/forks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HERE = fileURLToPath(new URL("./", import.meta.url));

/** Real data beside the checkout; tests on it skip where it is not there. */
export const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
export const PYTHON = process.env.ZARRSIFT_PYTHON ?? `${ROOT}.venv/bin/python`;

/** Why nothing here can be read in Python; `undefined`: it can. */
export const noPython =
  spawnSync(PYTHON, ["-c", "import zarr, xarray, fsspec, pyarrow"]).status === 0
    ? undefined
    : "needs Python with zarr, xarray, fsspec, pyarrow (npm run demo sets it up)";

/** What `read.py` says of something exported. */
export interface Read {
  equal: number;
  different: string[];
  groups: Record<string, Record<string, unknown>>;
  consolidated: boolean;
  dims?: Record<string, number>;
  coords?: string[];
}

/** Reads an export with Python alone, and compares it with its source. */
export async function readBack(kind: string, where: string, source: string, idx?: number[]): Promise<Read> {
  const rows = JSON.stringify(idx ?? null);
  return JSON.parse(await python("read.py", kind, where, source, rows));
}

/** What a Python script of this folder prints last. */
export async function python(script: string, ...args: string[]): Promise<string> {
  const stdout = await runScript(PYTHON, join(HERE, script), ...args);
  return stdout.trim().split("\n").at(-1)!;
}

/** A collection in Zarr v2, made by zarr-python. */
export async function makeV2(): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), "zarrsift-v2-")), "v2.zarr");
  await python("make.py", folder);
  return folder;
}
