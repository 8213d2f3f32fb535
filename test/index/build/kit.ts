/** A source with columns of every kind, and whether its indexes answer as its rows do. */
import { expect } from "vitest";
import { isZarrsiftError } from "../../../src/errors.ts";
import { writeWkb } from "../../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../../src/geometry/wkt-read.ts";
import type { Index, Rows } from "../../../src/index/api.ts";
import { openIndexes } from "../../../src/index/open.ts";
import { shapesOf } from "../../../src/index/shapes.ts";
import type { MemoryStore } from "../../../src/store/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { openTable } from "../../../src/table/open.ts";
import type { BytesVector } from "../../../src/table/vector.ts";
import { cellAt } from "../../../src/table/vector.ts";
import { Hierarchy } from "../../../src/zarr/hierarchy.ts";
import { makeSource, putColumn, seeded, type TestColumn, utf8 } from "../source.ts";

const MS = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
const GEOMETRY = { "ARROW:extension:name": "geoarrow.wkb" };

/** Boxes, some NULL, some across ±180; times that ascend; clouds; platforms; ids. */
export function columnsOf(rows: number, seed: number): Record<string, TestColumn> {
  const random = seeded(seed);
  const all = Array.from({ length: rows }, (_, i) => i);
  return {
    bbox: { type: "bytes", attributes: GEOMETRY, values: all.map(() => shape(random)) },
    date: { type: MS, values: BigInt64Array.from(all, (i) => BigInt(1_750_000_000_000 + i * 60_000)) },
    clouds: {
      type: "float64",
      values: Float64Array.from(all, () => (random() < 0.1 ? Number.NaN : random() * 100)),
    },
    platform: {
      type: "string",
      values: all.map(() => utf8(["aqua", "terra", "suomi"][Math.floor(random() * 3)]!)),
    },
    id: { type: "string", values: all.map((i) => utf8(`granule-${Math.floor(random() * 1e6)}-${i}`)) },
  };
}

function shape(random: () => number): Uint8Array {
  if (random() < 0.1) return new Uint8Array(0);
  const [west, south] = [random() < 0.1 ? 175 : random() * 340 - 180, random() * 160 - 80];
  const [east, north] = [west + random() * 10, south + random() * 5];
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return writeWkb(parseWkt(`POLYGON((${ring.map((point) => point.join(" ")).join(", ")}))`));
}

/** A source of so many rows; those of an earlier one with fewer are its first ones. */
export function sourceOf(rows: number, options: { seed?: number; chunkRows?: number; format?: 2 | 3 } = {}) {
  const { seed = 1, chunkRows = 40, format = 3 } = options;
  return makeSource(cut(columnsOf(1000, seed), rows), chunkRows, format);
}

export function cut(columns: Record<string, TestColumn>, rows: number): Record<string, TestColumn> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      { ...column, values: column.values.slice(0, rows) as never },
    ]),
  );
}

/** Makes a source have so many rows. */
export async function lengthen(
  store: MemoryStore,
  rows: number,
  options: { seed?: number; chunkRows?: number; format?: 2 | 3 } = {},
): Promise<void> {
  const { seed = 1, chunkRows = 40, format = 3 } = options;
  for (const [name, column] of Object.entries(cut(columnsOf(1000, seed), rows)))
    await putColumn(store, name, column, chunkRows, format);
}

export interface Answers {
  /** Of each index: its state, or `unusable` where it is damaged. */
  states: Record<string, string>;
  kinds: Record<string, string>;
  covered: Record<string, number>;
  warnings: readonly string[];
  zones: string[];
}

/**
 * Asks every index that is not stale, and compares its answers with the rows themselves.
 */
export async function askAll(source: Store, store: Store = source): Promise<Answers> {
  const table = await openTable(await Hierarchy.open(source), source);
  const set = await openIndexes(store, await Hierarchy.open(store), table, { source });
  const answers: Answers = { states: {}, kinds: {}, covered: {}, warnings: set.warnings, zones: [] };
  for (const index of set.indexes) {
    const { state } = await index.state();
    answers.states[index.column] = state;
    answers.kinds[index.column] = index.kind;
    answers.covered[index.column] = index.covered;
    if (state === "stale") continue;
    await askOne(index, table.columns.get(index.column)! as never).catch((error) => {
      if (!isZarrsiftError(error, "index_unusable")) throw error;
      answers.states[index.column] = "unusable";
    });
  }
  for (const [name, zones] of set.zones) {
    const { state } = await zones.state();
    if (state === "stale") continue;
    await zones.load();
    answers.zones.push(name);
  }
  answers.zones.sort();
  return answers;
}

type AnyColumn =
  Awaited<ReturnType<typeof openTable>>["columns"] extends ReadonlyMap<string, infer C> ? C : never;

/** Of each row none, one, or two where it crosses ±180. */
function boxesOf({ name }: AnyColumn, vector: BytesVector): (readonly (readonly number[])[])[] {
  const { length, boxes, crossing } = shapesOf(vector, { column: name, row: 0 });
  return Array.from({ length }, (_, i) => {
    const box = [...boxes.subarray(4 * i, 4 * i + 4)];
    return crossing.find(({ at }) => at === i)?.boxes ?? (box[0] === Infinity ? [] : [box]);
  });
}

async function askOne(index: Index, column: AnyColumn): Promise<void> {
  const cells: unknown[] = [];
  const boxes: (readonly (readonly number[])[])[] = [];
  for (let chunk = 0; chunk * column.chunkRows < column.rows; chunk++) {
    const vector = await column.read(chunk);
    for (let i = 0; i < vector.length; i++) cells.push(cellAt(vector, i));
    if (index.kind === "rtree") boxes.push(...boxesOf(column, vector as BytesVector));
  }
  const covered = cells.slice(0, index.covered);
  if (index.kind === "rtree") {
    for (const query of [
      [-180, -90, 180, 90],
      [-180, -30, -150, 40],
      [10, 0, 60, 50],
    ] as const) {
      const found = await index.find([query]);
      const truth = boxes
        .slice(0, index.covered)
        .flatMap((of, row) =>
          of.some(([w, s, e, n]) => w! <= query[2] && e! >= query[0] && s! <= query[3] && n! >= query[1])
            ? [row]
            : [],
        );
      expect([...found.rows], `${index.column} ${query}`).toEqual(truth);
    }
    return;
  }
  if (index.kind === "category") {
    for (const { value, count } of await index.values()) {
      const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
      const truth = covered.flatMap((cell, row) => (cell === text ? [row] : []));
      expect(list(await index.find([value])), `${index.column} = ${text}`).toEqual(truth);
      if (index.covered === cells.length) expect(count).toBe(truth.length);
    }
    return;
  }
  const present = covered.filter((cell) => cell !== null && !Number.isNaN(cell));
  if (present.length === 0) return;
  const [low, high] = [
    present[Math.floor(present.length / 3)]!,
    present[Math.floor(present.length / 2)]!,
  ].sort(compare);
  const truth = covered.flatMap((cell, row) =>
    cell !== null && compare(cell, low) >= 0 && compare(cell, high) <= 0 ? [row] : [],
  );
  const range =
    typeof low === "string"
      ? [{ low: utf8(low), high: utf8(high as string), highInclusive: true }]
      : [{ low: low as number, high: high as number }];
  expect(list(await index.find(range)), index.column).toEqual(truth);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "string") return Buffer.compare(utf8(a), utf8(b as string));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

export function list(rows: Rows): number[] {
  if (!("from" in rows) || rows instanceof Float64Array) return [...(rows as Float64Array)];
  return Array.from({ length: rows.to - rows.from }, (_, i) => rows.from + i);
}
