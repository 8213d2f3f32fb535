import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import type { ArrayMeta } from "../../src/zarr/metadata.ts";
import { DirectoryStore } from "./directory.ts";
import { PYTHON, python } from "./python.ts";
import { readWhole } from "./whole.ts";

interface Expected {
  kind: string;
  shape: number[];
  raw?: string;
  items?: string[];
}

describe.skipIf(!PYTHON)("every type and codec chain that zarr-python writes (needs ZARRSIFT_PYTHON)", () => {
  const directory = mkdtempSync(join(tmpdir(), "zarrsift-types-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  let expected: Record<string, Expected>;

  beforeAll(() => {
    python("make_types.py", directory);
    expected = JSON.parse(readFileSync(join(directory, "expected.json"), "utf8"));
  });

  for (const format of ["v2", "v3"]) {
    it(`reads ${format} as zarr-python does`, async () => {
      const store = new DirectoryStore(join(directory, format));
      const hierarchy = await Hierarchy.open(store);
      const names = Object.keys(expected).filter((name) => name.startsWith(`${format}/`));
      expect(names.length).toBeGreaterThan(80);
      const wrong: string[] = [];
      for (const name of names) {
        const path = name.slice(3);
        const meta = (await hierarchy.node(path)) as ArrayMeta;
        const problem = await difference(store, path, meta, expected[name]!).catch(String);
        if (problem) wrong.push(`${name} (${JSON.stringify(meta.dataType)}): ${problem}`);
      }
      expect(wrong).toEqual([]);
    });
  }
});

async function difference(
  store: DirectoryStore,
  path: string,
  meta: ArrayMeta,
  want: Expected,
): Promise<string | undefined> {
  if (meta.shape.join() !== want.shape.join()) return `shape [${meta.shape}], not [${want.shape}]`;
  const got = await readWhole(store, path, meta);
  if (want.raw !== undefined) {
    const raw = Buffer.from(want.raw, "base64");
    const at = raw.findIndex((byte, i) => byte !== got.raw[i]);
    return at < 0 && raw.length === got.raw.length
      ? undefined
      : `differs at byte ${at} of ${raw.length} (${got.raw.length})`;
  }
  const at = want.items!.findIndex((item, i) => item !== Buffer.from(got.items[i] ?? []).toString("base64"));
  return at < 0
    ? undefined
    : `item ${at} is ${Buffer.from(got.items[at]!)}, not ${Buffer.from(want.items![at]!, "base64")}`;
}
