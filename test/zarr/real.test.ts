import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import type { ArrayMeta } from "../../src/zarr/metadata.ts";
import { DirectoryStore } from "./directory.ts";
import { PYTHON, python } from "./python.ts";
import { readWhole } from "./whole.ts";

const DATA = new URL("../../../shared/data/granules.zarr/", import.meta.url);
const VARIABLE = ["string", "bytes", "fixed_string", "fixed_bytes", "raw"];

async function digest(store: DirectoryStore, path: string, meta: ArrayMeta): Promise<string> {
  const { raw, items } = await readWhole(store, path, meta);
  const sha = createHash("sha256");
  if (!VARIABLE.includes(meta.dataType.kind)) return sha.update(raw).digest("hex");
  const length = Buffer.alloc(4);
  for (const item of items) {
    length.writeUInt32LE(item.length);
    sha.update(length).update(item);
  }
  return sha.digest("hex");
}

describe.skipIf(!PYTHON || !existsSync(DATA))(
  "real granules (needs ZARRSIFT_PYTHON and ../shared/data)",
  () => {
    it("hold the values that zarr-python reads, in /meta and in a granule of each collection", async () => {
      const store = new DirectoryStore(DATA.pathname);
      const hierarchy = await Hierarchy.open(store);
      const arrays = new Map<string, ArrayMeta>();
      const visit = async (path: string): Promise<void> => {
        const node = await hierarchy.node(path);
        if (node?.nodeType === "array") arrays.set(path, node);
        else for (const name of (await hierarchy.children(path))!) await visit(`${path}/${name}`);
      };
      for (const name of (await hierarchy.children(""))!) {
        const children = (await hierarchy.children(name))!;
        await visit(name === "meta" ? "meta" : `${name}/${children.at(-1)}`);
      }
      expect(arrays.size).toBe(57);
      const expected = JSON.parse(python("read_store.py", DATA.pathname, ...arrays.keys()));
      const got: Record<string, string> = {};
      for (const [path, meta] of arrays) got[path] = await digest(store, path, meta);
      expect(got).toEqual(expected);
    });
  },
);
