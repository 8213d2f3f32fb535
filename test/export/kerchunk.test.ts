import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { kerchunkJson } from "../../src/export/kerchunk-json.ts";
import { writeKerchunkParquet } from "../../src/export/kerchunk-parquet.ts";
import type { ReferenceOptions } from "../../src/export/references.ts";
import { open } from "../../src/index.ts";
import { WritableDirectory } from "../../src/store/file-write.ts";
import type { Face, ViewOptions } from "../../src/view/api.ts";
import { zipOf } from "../store/zip-writer.ts";
import { tinyCollection } from "../view/tiny.ts";
import { DATA, makeV2, noPython, readBack } from "./python.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-kerchunk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type References = Record<string, string | [string] | [string, number, number]>;
let written = 0;

async function references(
  source: string,
  sql: string,
  format: Face,
  options: ViewOptions & ReferenceOptions = {},
): Promise<{ file: string; refs: References }> {
  const collection = await open(source);
  const { inlineBytes: _, ...viewed } = options;
  const view = await collection.view(sql, viewed);
  const file = join(folder, `${++written}.json`);
  let text = "";
  for await (const part of kerchunkJson(view.face(format), format, options)) text += part;
  writeFileSync(file, text);
  await collection.close();
  return { file, refs: JSON.parse(text).refs };
}

async function parquet(source: string, sql: string, options: ViewOptions): Promise<string> {
  const collection = await open(source);
  const view = await collection.view(sql, options);
  const where = join(folder, `${++written}.parq`);
  await WritableDirectory.create(where);
  await writeKerchunkParquet(view.face(2), new WritableDirectory(where, ".tmp"));
  await collection.close();
  return where;
}

const GRANULES = `${DATA}granules.zarr`;
const STACKED = `${DATA}stacked.zarr`;
const ASCAT = "SELECT * FROM meta WHERE collection LIKE 'ASCAT%' LIMIT 6";

describe.skipIf(!existsSync(GRANULES))("references to real granules", () => {
  it("name the source's own files, whole, and hold what only the view has", async () => {
    const { refs } = await references(GRANULES, `${ASCAT}`, 3);
    const urls = Object.values(refs).flatMap((ref) => (typeof ref === "string" ? [] : [ref]));
    expect(urls.length).toBeGreaterThan(60);
    for (const url of urls) {
      expect(url).toHaveLength(1);
      expect(existsSync(url[0].slice("file://".length))).toBe(true);
    }
    const inline = Object.entries(refs).filter(([, ref]) => typeof ref === "string" && /^base64:/.test(ref));
    expect(inline.map(([key]) => key.split("/")[0])).toEqual(inline.map(() => "meta"));
  });

  it("lead into shards where metadata are of format 2", async () => {
    const { refs } = await references(STACKED, "SELECT idx FROM meta", 2, {
      layout: "stacked",
      variables: ["lon"],
    });
    const ranges = Object.entries(refs).filter(([key]) => /^lon\/\d/.test(key));
    expect(ranges.length).toBe(39);
    for (const [, ref] of ranges) expect(ref).toHaveLength(3);
  });

  it("refuse what is neither in the source as it is nor small, saying what would work", async () => {
    const sql = "SELECT idx FROM meta WHERE collection LIKE 'ASCAT%' AND rows < 160";
    const options = { layout: "concatenated", variables: ["lat"], inlineBytes: 100 } as const;
    await expect(references(GRANULES, sql, 2, options)).rejects.toThrow(/lat\/0\.0 .*\(100\).*--to zarr/s);
  });

  const cases: [string, string, string, Face, ViewOptions, number[]?][] = [
    ["granules", GRANULES, ASCAT, 2, {}],
    ["granules", GRANULES, ASCAT, 3, {}],
    ["all granules", GRANULES, "SELECT idx, date FROM meta", 3, {}],
    ["granules of Icechunk", `${DATA}granules-spec1.icechunk`, ASCAT, 2, {}],
    ["chosen variables", GRANULES, ASCAT, 3, { variables: ["lat", "wind_speed"] }],
    ["nothing", GRANULES, "SELECT * FROM meta WHERE false", 2, {}],
    ["stacked", STACKED, "SELECT * FROM meta WHERE idx IN (3, 9, 30)", 2, { layout: "stacked" }, [3, 9, 30]],
    ["stacked", STACKED, "SELECT * FROM meta ORDER BY idx DESC", 3, { layout: "stacked" }, reversed(39)],
    ["stacked nothing", STACKED, "SELECT * FROM meta WHERE false", 3, { layout: "stacked" }, []],
  ];
  it.skipIf(noPython).each(cases)(
    "%s %s are read by fsspec (%#)",
    async (what, source, sql, format, view, idx) => {
      const { file } = await references(source, sql, format, view);
      const read = await readBack(`refs${format}`, file, source, idx);
      expect(read.different).toEqual([]);
      expect(read.equal > 0).toBe(what !== "nothing");
      expect(read.consolidated).toBe(true);
      if (idx) expect(read.dims).toEqual({ granule: idx.length, row: 160, cell: 42 });
    },
  );

  it.skipIf(noPython)("in Parquet are read by fsspec", async () => {
    const where = await parquet(STACKED, "SELECT * FROM meta WHERE idx IN (3, 9, 30)", { layout: "stacked" });
    const read = await readBack("refs2", where, STACKED, [3, 9, 30]);
    expect(read).toMatchObject({ different: [], equal: 10, dims: { granule: 3 } });
    expect(readdirSync(join(where, "wind_speed"))).toEqual(["refs.0.parq"]);
  });

  it.skipIf(noPython)(
    "to virtual chunks are those of the repository, for which nobody needs to be allowed to read them",
    async () => {
      const { file, refs } = await references(`${DATA}granules-s3.icechunk`, ASCAT, 2);
      const [url, offset, length] = refs[Object.keys(refs).find((key) => key.endsWith("/wind_speed/0.0"))!]!;
      expect([url, offset, length]).toEqual([
        expect.stringMatching(/^s3:\/\/l2-granules\/public\/.*\.nc$/),
        expect.any(Number),
        expect.any(Number),
      ]);
      const local = readFileSync(file, "utf8").replaceAll(
        "s3://l2-granules/public/",
        `file://${DATA}granules_nc/`,
      );
      writeFileSync(file, local);
      const read = await readBack("refs2", file, GRANULES);
      expect([read.different, read.equal]).toEqual([[], 60]);
    },
  );

  it("are handed on by reference files, and lead into zip archives", async () => {
    const first = await references(GRANULES, "SELECT * FROM meta WHERE idx < 8", 2);
    const again = await references(first.file, "SELECT * FROM meta WHERE idx < 4", 2);
    const chunks = (refs: References) =>
      Object.entries(refs).filter(([key, ref]) => !key.startsWith("meta/") && typeof ref !== "string");
    expect(chunks(again.refs).length).toBeGreaterThan(60);
    for (const [key, ref] of chunks(again.refs)) expect(ref).toEqual(first.refs[key]);

    const zipped = join(folder, "granules.zip");
    writeFileSync(zipped, zipOf(filesBelow(GRANULES)));
    const { refs } = await references(zipped, "SELECT idx FROM meta WHERE idx < 4", 3);
    const archive = readFileSync(zipped);
    expect(chunks(refs).length).toBeGreaterThan(60);
    for (const [key, [url, offset, length]] of chunks(refs) as [string, [string, number, number]][]) {
      expect(url).toBe(`file://${zipped}`);
      expect(archive.subarray(offset, offset + length).equals(readFileSync(join(GRANULES, key)))).toBe(true);
    }
  });

  it.skipIf(noPython)("concatenated hold cut chunks, and are read", async () => {
    const sql = "SELECT idx FROM meta WHERE collection LIKE 'ASCAT%' AND rows < 160";
    const options = { layout: "concatenated", variables: ["lat", "wind_speed"] } as const;
    const { file, refs } = await references(GRANULES, sql, 3, options);
    expect(Object.keys(refs)).toContain("granule/zarr.json");
    const read = await readBack("refs3", file, GRANULES, []);
    expect(read.dims).toMatchObject({ NUMROWS: 3 * 32 + 144, meta_row: 4 });
  });
});

describe.skipIf(noPython)("references to a source in Zarr v2", () => {
  it("keep missing chunks missing, and leave NULL out", async () => {
    const source = await makeV2();
    try {
      for (const format of [2, 3] as const) {
        const { file, refs } = await references(source, "SELECT cloud, date FROM meta", format);
        const read = await readBack(`refs${format}`, file, source);
        expect(read).toMatchObject({ different: [], equal: 18 });
        expect(read.groups["granules/g0"]).toMatchObject({ cloud: 0.5, date: "2025-01-01T00:00:00Z" });
        expect(read.groups["granules/g1"]).not.toHaveProperty("cloud");
        expect(read.groups["granules/g2"]).not.toHaveProperty("date");
        expect(Object.keys(refs).filter((key) => /g0\/a\/\d/.test(key))).toEqual([
          "granules/g0/a/0.0",
          "granules/g0/a/0.1",
        ]);
      }
    } finally {
      rmSync(dirname(source), { recursive: true, force: true });
    }
  });

  it("in Parquet write missing chunks out", async () => {
    const source = await makeV2();
    try {
      const where = await parquet(source, "SELECT cloud FROM meta WHERE idx IN (1, 4)", {});
      expect(await readBack("refs2", where, source)).toMatchObject({ different: [], equal: 6 });
      const metadata = JSON.parse(readFileSync(join(where, ".zmetadata"), "utf8"));
      expect(metadata.record_size).toBe(10_000);
      expect(metadata.metadata[".zattrs"].zarrsift.sql).toMatch(/idx IN/);
    } finally {
      rmSync(dirname(source), { recursive: true, force: true });
    }
  });
});

describe("references to what nobody else can read", () => {
  it("hold all of it, up to the size that was asked for", async () => {
    const store = await tinyCollection([{ path: "g/1", arrays: { a: {} } }]);
    const view = await (await open(store)).view("SELECT idx FROM meta");
    const text = async (inlineBytes: number) => {
      let all = "";
      for await (const part of kerchunkJson(view.face(3), 3, { inlineBytes })) all += part;
      return all;
    };
    const { refs } = JSON.parse(await text(12));
    expect(Buffer.from(refs["g/1/a/c/0/0"].slice(7), "base64")).toHaveLength(12);
    await expect(text(11)).rejects.toThrow(/g\/1\/a\/c\/0\/0/);
  });

  it("stop when they are no longer wanted", async () => {
    const store = await tinyCollection([{ path: "g/1", arrays: { a: {} } }]);
    const view = await (await open(store)).view("SELECT idx FROM meta");
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    const parts = kerchunkJson(view.face(3), 3, { signal: controller.signal });
    await expect(parts.next()).rejects.toThrow("enough");
  });
});

function reversed(count: number): number[] {
  return Array.from({ length: count }, (_, i) => count - 1 - i);
}

/** Files below a folder, by path. */
function filesBelow(root: string): [string, Uint8Array][] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(root.length + 1), readFileSync(path)];
  });
}
