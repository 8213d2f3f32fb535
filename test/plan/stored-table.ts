/** A random table as a Zarr store: unequal chunks, some of them missing, and what reading it costs. */
import type { IndexSet } from "../../src/index/api.ts";
import { openIndexes } from "../../src/index/open.ts";
import { CountingStore } from "../../src/store/count.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { Traffic } from "../../src/store/store.ts";
import { openTable } from "../../src/table/open.ts";
import type { Table } from "../../src/table/table.ts";
import { type CellValue, packBytes } from "../../src/table/vector.ts";
import { type ChunkData, encodeChunk } from "../../src/zarr/chunk.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { type JsonObject, type JsonValue, writeJson } from "../../src/zarr/json.ts";
import type { ArrayMeta, Codec, DataType } from "../../src/zarr/metadata.ts";
import { toV3Document } from "../../src/zarr/write.ts";
import { type Dice, type Row, randomTable } from "./naive.ts";

interface Stored {
  dataType: DataType;
  fill: JsonValue;
  /** The stored value that is NULL. */
  none: JsonValue;
  /** As an attribute, where only that makes it NULL. */
  masked?: true;
  pack(cells: CellValue[]): ChunkData;
}

const NAT = -(2n ** 63n);
const utf8 = (text: string) => new TextEncoder().encode(text);
const bigs = (cells: CellValue[]) => ({ data: BigInt64Array.from(cells, (cell) => BigInt(cell as bigint)) });

const datetime = (unit: string): Stored => ({
  dataType: { kind: "datetime64", unit, scale: 1 },
  fill: "NaT",
  none: null,
  pack: (cells) => bigs(cells.map((cell) => cell ?? NAT)),
});

const STORED: Record<string, Stored> = {
  date: datetime("ms"),
  stamp: datetime("ns"),
  n: { dataType: { kind: "int", bits: 64, signed: true }, fill: 7, none: -12345, masked: true, pack: bigs },
  u: {
    dataType: { kind: "int", bits: 8, signed: false },
    fill: 1,
    none: 77,
    masked: true,
    pack: (cells) => ({ data: Uint8Array.from(cells, Number) }),
  },
  f: {
    dataType: { kind: "float", bits: 32 },
    fill: "NaN",
    none: null,
    pack: (cells) => ({ data: Float32Array.from(cells, (cell) => (cell as number) ?? Number.NaN) }),
  },
  d: {
    dataType: { kind: "float", bits: 64 },
    fill: 0.5,
    none: null,
    pack: (cells) => ({ data: Float64Array.from(cells, (cell) => (cell as number) ?? Number.NaN) }),
  },
  s: {
    dataType: { kind: "string" },
    fill: "",
    none: "(none)",
    masked: true,
    pack: (cells) => packBytes(cells.map((cell) => utf8(cell as string))),
  },
  ok: {
    dataType: { kind: "bool" },
    fill: false,
    none: false,
    pack: (cells) => ({ data: Uint8Array.from(cells, Number) }),
  },
  g: {
    dataType: { kind: "bytes" },
    fill: "",
    none: null,
    pack: (cells) => packBytes(cells.map((cell) => (cell as Uint8Array) ?? new Uint8Array())),
  },
};

export interface StoredTable {
  store: MemoryStore;
  /** A table that has read nothing yet, its indexes if it has some, and what is read of both from now on. */
  open(): Promise<{ table: Table; indexes: IndexSet; total: Traffic }>;
  /** What reading all of a column costs. */
  costs: Map<string, Traffic>;
}

/** @param rows how many; the columns are those of `naive.ts` */
export async function storedTable(dice: Dice, rows: number): Promise<StoredTable> {
  const store = new MemoryStore();
  const group = writeJson({ zarr_format: 3, node_type: "group", attributes: {} });
  store.set("zarr.json", group);
  store.set("meta/zarr.json", group);
  const cells = randomTable(dice, rows).rows;
  const costs = new Map<string, Traffic>();
  for (const name of Object.keys(STORED)) costs.set(name, await writeColumn(store, name, cells, dice));
  const open = async () => {
    const counting = new CountingStore(store);
    const hierarchy = await Hierarchy.open(counting);
    const table = await openTable(hierarchy, counting);
    const indexes = await openIndexes(counting, hierarchy, table);
    Object.assign(counting.total, { requests: 0, bytes: 0 });
    return { table, indexes, total: counting.total };
  };
  return { store, open, costs };
}

async function writeColumn(store: MemoryStore, name: string, rows: Row[], dice: Dice): Promise<Traffic> {
  const { none, pack } = STORED[name]!;
  const chunkRows = dice.of([1, 3, 7, 10, 64, 1000]);
  const meta = metaOf(STORED[name]!, rows.length, chunkRows);
  store.set(`meta/${name}/zarr.json`, writeJson(toV3Document(meta) as JsonObject));
  const cost = { requests: 0, bytes: 0 };
  for (let from = 0; from < rows.length; from += chunkRows) {
    cost.requests++;
    if (dice.chance(0.15)) continue;
    const own = rows.slice(from, from + chunkRows).map((row) => row[name] ?? (none as CellValue));
    while (own.length < chunkRows) own.push(own[0]!);
    const bytes = await encodeChunk(meta, pack(own));
    store.set(`meta/${name}/c/${from / chunkRows}`, bytes);
    cost.bytes += bytes.length;
  }
  return cost;
}

function metaOf({ dataType, fill, none, masked }: Stored, rows: number, chunkRows: number): ArrayMeta {
  const serial: Codec =
    dataType.kind === "string"
      ? { name: "vlen-utf8", configuration: {} }
      : dataType.kind === "bytes"
        ? { name: "vlen-bytes", configuration: {} }
        : { name: "bytes", configuration: { endian: "little" } };
  return {
    nodeType: "array",
    format: 3,
    shape: [rows],
    chunkShape: [chunkRows],
    dataType,
    codecs: [serial],
    fillValue: fill,
    attributes: {
      ...(masked && { _FillValue: none }),
      ...(dataType.kind === "bytes" && { "ARROW:extension:name": "geoarrow.wkb" }),
    },
    dimensionNames: ["meta_row"],
    chunkKeys: { name: "default", separator: "/" },
    document: {},
  };
}
