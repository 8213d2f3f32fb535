import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowBoxes } from "../../src/geometry/longitude.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import type { SpatialIndex } from "../../src/index/api.ts";
import { arrayMeta, bytesOf, typeString, wholeSum } from "../../src/index/arrays.ts";
import { OrderedBuilder } from "../../src/index/btree-build.ts";
import { CategoryBuilder } from "../../src/index/category-build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { RTreeBuilder } from "../../src/index/rtree-build.ts";
import { ZonesBuilder } from "../../src/index/zones-build.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import { openSource } from "../../src/store/open.ts";
import { openTable } from "../../src/table/open.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { PYTHON } from "../zarr/python.ts";
import { addTo, makeSource, putIndexes, seeded, tableOf, utf8 } from "./source.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zarrsift-index-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = fileURLToPath(new URL("interop.py", import.meta.url));
const missing =
  PYTHON !== undefined && canImport(PYTHON, "geoindex_rs, google_crc32c, zarr")
    ? undefined
    : "there is no Python with geoindex-rs";

function run(command: "read" | "write", store: string, argument: unknown) {
  const file = join(folder, "argument.json");
  writeFileSync(file, JSON.stringify(argument));
  return JSON.parse(
    execFileSync(PYTHON!, [script, command, store, file], { encoding: "utf8", maxBuffer: 1e8 }),
  );
}

async function onDisk(store: MemoryStore, name: string): Promise<string> {
  for (const key of store.keys()) {
    const path = join(folder, name, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, (await store.get(key))!);
  }
  return join(folder, name);
}

function shapes(count: number): Uint8Array[] {
  const random = seeded(11);
  return Array.from({ length: count }, () => {
    const [x, y] = [random() * 358 - 180, random() * 170 - 85];
    const kind = random();
    if (kind < 0.1) return new Uint8Array(0);
    if (kind < 0.15) return writeWkb(parseWkt(`LINESTRING(178 ${y},183 ${y + 1})`));
    return writeWkb(parseWkt(`POLYGON((${x} ${y},${x + 2} ${y},${x + 2} ${y + 2},${x} ${y + 2},${x} ${y}))`));
  });
}

const QUERIES = [
  [-180, -90, 180, 90],
  [0, 0, 20, 20],
  [-180, -90, -170, 90],
  [170, -20, 180, 20],
  [33, 33, 33.1, 33.1],
] as [number, number, number, number][];

function truthOf(values: Uint8Array[], [w, s, e, n]: readonly number[]): number[] {
  return values.flatMap((value, row) => {
    const boxes = value.length === 0 ? [] : rowBoxes(parseWkb(value));
    return boxes.some((b) => b[0] <= e! && b[2] >= w! && b[1] <= n! && b[3] >= s!) ? [row] : [];
  });
}

const newest = process.env.ZARRSIFT_PYTHON_NEWEST ?? ".venv-newest/bin/python";
const noPeer = canImport(newest, "zarr_datafusion_search, geodatafusion, obstore")
  ? undefined
  : "zarr-datafusion-search is not installed";

function canImport(python: string, modules: string): boolean {
  try {
    execFileSync(python, ["-c", `import ${modules}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(noPeer)(`zarr-datafusion-search${noPeer ? ` (skipped: ${noPeer})` : ""}`, () => {
  it("opens and queries a source with our indexes", async () => {
    const values = shapes(3000).map((value) =>
      value.length === 0 ? writeWkb(parseWkt("POINT(99 80)")) : value,
    );
    const attributes = { "ARROW:extension:name": "geoarrow.wkb" };
    const seconds = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
    const date = { type: seconds, values: BigInt64Array.from({ length: 3000 }, (_, i) => BigInt(i)) };
    const store = await makeSource(
      { bbox: { type: "variable_length_bytes", values, attributes }, date },
      1000,
    );
    const { table } = await tableOf(store);
    const builder = new RTreeBuilder(3000);
    const bbox = table.columns.get("bbox")!;
    for (let chunk = 0; chunk < 3; chunk++) addTo(builder, bbox, await bbox.read(chunk));
    await putIndexes(store, table, { bbox: builder.finish("bbox") });
    const path = await onDisk(store, "peer.zarr");
    const script = fileURLToPath(new URL("peer.py", import.meta.url));
    const count = execFileSync(newest, [script, path], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(Number(count)).toBe(truthOf(values, [0, 0, 20, 20]).length);
  });
});

describe.skipIf(missing)(`other programs${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it.each([3, 2] as const)(
    "read every index array of a v%i source, and geo-index searches the tree",
    async (format) => {
      const values = shapes(3000);
      const random = seeded(2);
      const attributes = { "ARROW:extension:name": "geoarrow.wkb" };
      const store = await makeSource(
        {
          bbox: { type: "variable_length_bytes", values, attributes },
          cloud: { type: "float32", values: Float32Array.from({ length: 3000 }, random) },
          id: { type: "string", values: values.map((_, i) => utf8(`G${(i * 7) % 3000}`)) },
          kind: {
            type: "string",
            values: values.map(() => utf8(random() < 0.6 ? "a" : `b${Math.floor(random() * 9)}`)),
          },
        },
        1000,
        format,
      );
      const { table } = await tableOf(store);
      const column = (name: string) => table.columns.get(name)!;
      const builders = {
        bbox: new RTreeBuilder(3000),
        cloud: new OrderedBuilder(column("cloud").type, 3000, 1000),
        id: new OrderedBuilder(column("id").type, 3000, 1000),
        kind: new CategoryBuilder(column("kind").type, 3000, 1000),
      };
      const zones = new ZonesBuilder(column("id").type);
      for (let chunk = 0; chunk < 3; chunk++) {
        for (const [name, builder] of Object.entries(builders))
          addTo(builder, column(name), await column(name).read(chunk));
        zones.addChunk(await column("id").read(chunk));
      }
      const encoded = Object.fromEntries(Object.entries(builders).map(([name, b]) => [name, b.finish(name)]));
      const zoneMap = zones.finish("id", 1000);
      await putIndexes(store, table, encoded, { id: zoneMap }, format);
      const { arrays, found } = run("read", await onDisk(store, `v${format}.zarr`), QUERIES);
      for (const array of [...Object.values(encoded), zoneMap].flatMap((index) => index.arrays)) {
        expect(bytesOf(array.data).length).toBeGreaterThan(0);
        expect(arrays[array.path], array.path).toEqual([
          typeString(arrayMeta(array, format).dataType),
          wholeSum(array.data),
        ]);
      }
      expect(Object.keys(arrays).length).toBeGreaterThan(20);
      QUERIES.forEach((query, i) => {
        // A reader that knows nothing of the real boxes finds crossing shapes at any longitude; never too few.
        const wanted = truthOf(values, query);
        expect(wanted.filter((row) => !found[i].includes(row))).toEqual([]);
        const extra = (found[i] as number[]).filter((row) => !wanted.includes(row));
        expect(extra.filter((row) => rowBoxes(parseWkb(values[row]!)).length !== 2)).toEqual([]);
      });
    },
  );

  it("write trees that we search, boxes from 0 to 360 and compressed chunks included", async () => {
    const random = seeded(21);
    const boxes = Array.from({ length: 2500 }, () => {
      const [x, y] = [Math.round(random() * 3500) / 10, Math.round(random() * 1700) / 10 - 85];
      return [x, y, x + 1, y + 1] as const;
    });
    const values = boxes.map(([w, s, e, n]) =>
      writeWkb(parseWkt(`POLYGON((${w} ${s},${e} ${s},${e} ${n},${w} ${n},${w} ${s}))`)),
    );
    const attributes = { "ARROW:extension:name": "geoarrow.wkb" };
    const path = await onDisk(
      await makeSource({ bbox: { type: "variable_length_bytes", values, attributes } }, 2500),
      "geoindex.zarr",
    );
    run("write", path, boxes);
    const store = await openSource(path);
    const hierarchy = await Hierarchy.open(store);
    const { indexes } = await openIndexes(store, hierarchy, await openTable(hierarchy, store));
    const index = indexes[0] as SpatialIndex;
    expect(await index.state()).toMatchObject({ state: "unverified" });
    for (const query of QUERIES) {
      let boxes = 0;
      const shape = (_: Float64Array, isBox: boolean) => {
        boxes += isBox ? 1 : 0;
        return undefined;
      };
      const { rows } = await index.find([query], { test: { within: () => undefined, shape } });
      expect(truthOf(values, query).filter((row) => !rows.includes(row))).toEqual([]);
      expect(boxes).toBe(0);
    }
    expect(Array.from((await index.find([[-100, 0, -50, 20]])).rows)).toEqual(
      truthOf(values, [-100, 0, -50, 20]),
    );
  });
});
