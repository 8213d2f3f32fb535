/** Conditions on the columns that hold boxes: answered by the R-tree as by a scan. */
import { describe, expect, it } from "vitest";
import { buildIndexes } from "../../src/index/build/build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { type ExplainStep, planQuery } from "../../src/plan/index.ts";
import { CountingStore } from "../../src/store/count.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { openTable } from "../../src/table/open.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { type JsonObject, parseJsonObject, writeJson } from "../../src/zarr/json.ts";
import { BOX_CHUNK, boxColumns, boxSource, lengthenBoxes, START } from "../index/boxes.ts";
import { putColumn, seeded, tableOf } from "../index/source.ts";

const NAMES = ["xmin", "ymin", "xmax", "ymax"];
const ROWS = 6000;

async function all(parts: AsyncIterable<Float64Array>): Promise<number[]> {
  const rows: number[] = [];
  for await (const part of parts) rows.push(...part);
  return rows;
}

/** Rows through indexes and by a scan, and the steps that asked the R-tree about columns. */
async function both(store: MemoryStore, where: string, tail = "") {
  const { hierarchy, table } = await tableOf(store);
  const indexes = await openIndexes(store, hierarchy, table);
  const sql = `SELECT idx FROM meta WHERE ${where} ${tail}`;
  const query = planQuery(table, sql, { indexes: async () => indexes });
  const steps = await query.explain();
  return {
    steps,
    boxes: steps.filter(isBoxes),
    rows: await all(query.matches()),
    scanned: await all(planQuery(table, sql, { asWritten: true }).matches()),
  };
}

/** Whether a step asked the R-tree about columns that hold its boxes. */
const isBoxes = ({ step, index, column }: ExplainStep) =>
  step === "index" && /\/indexes\/bbox\b/.test(index ?? "") && !/bbox/.test(column ?? "");

type Random = () => number;
const of = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

/** A value as SQL: of a row of the column, near one, or a special one. */
function value(random: Random, values: readonly number[], step: number): string {
  const kind = random();
  if (kind < 0.1)
    return of(random, [
      "0",
      "-0.0",
      "1e308 * 10",
      "-1e308 * 10",
      "0e0 / 0",
      "180",
      "-180",
      "7",
      "178.0000001",
    ]);
  const one = of(random, values);
  const own = Number.isFinite(one) ? one : 5;
  if (kind < 0.7) return `${own}`;
  return `${own + (random() - 0.5) * 4 * (step || 1)}`;
}

function comparison(random: Random, columns: Record<string, readonly number[]>, step: number): string {
  const name = of(random, NAMES);
  const next = () => value(random, columns[name]!, step);
  const lower = name.endsWith("min");
  const kind = random();
  if (kind < 0.7) return `${name} ${of(random, lower ? ["<", "<="] : [">", ">="])} ${next()}`;
  if (kind < 0.8) return `${name} ${of(random, ["<", "<=", ">", ">=", "=", "<>"])} ${next()}`;
  if (kind < 0.85) return `${name} BETWEEN ${next()} AND ${next()}`;
  if (kind < 0.9) return `${next()} ${of(random, ["<", ">", ">=", "="])} ${name}`;
  if (kind < 0.94)
    return `${name} ${of(random, ["IN", "NOT IN"])} (${next()}, ${next()}${random() < 0.2 ? ", NULL" : ""})`;
  if (kind < 0.97) return `${name} IS ${of(random, ["", "NOT "])}NULL`;
  return `(${name} ${of(random, ["<", ">="])} ${next()}) IS ${of(random, ["TRUE", "NOT TRUE", "FALSE"])}`;
}

/** A box as people ask for one: all that touch it, or lie in it, or hold it. */
function box(random: Random, columns: Record<string, readonly number[]>): string {
  const corner = (values: readonly number[]) =>
    of(random, values.filter(Number.isFinite)) + (random() < 0.5 ? 0 : 0.3);
  const [x, y] = [corner(columns.xmin!), corner(columns.ymin!)];
  const [width, height] = [of(random, [0, 1, 5, 30]), of(random, [0, 1, 5, 20])];
  const [least, most] = random() < 0.5 ? ["<", ">"] : ["<=", ">="];
  const kind = random();
  const parts =
    kind < 0.6
      ? [
          `xmin ${least} ${x + width}`,
          `xmax ${most} ${x}`,
          `ymin ${least} ${y + height}`,
          `ymax ${most} ${y}`,
        ]
      : kind < 0.8
        ? [
            `xmin ${most} ${x}`,
            `xmax ${least} ${x + width}`,
            `ymin ${most} ${y}`,
            `ymax ${least} ${y + height}`,
          ]
        : [
            `xmin ${least} ${x}`,
            `xmax ${most} ${x + width}`,
            `ymin ${least} ${y}`,
            `ymax ${most} ${y + height}`,
          ];
  return parts.filter(() => random() < 0.85).join(" AND ") || "xmin < 3";
}

function condition(
  random: Random,
  columns: Record<string, readonly number[]>,
  step: number,
  depth = 0,
): string {
  const kind = random();
  const inner = () => condition(random, columns, step, depth + 1);
  if (kind < 0.5) return box(random, columns);
  if (kind < 0.65)
    return [1, 2, 3]
      .slice(Math.floor(random() * 3))
      .map(() => comparison(random, columns, step))
      .join(" AND ");
  if (kind < 0.72) {
    const from = START + random() * ROWS * 60_000;
    return `date >= TIMESTAMP '${new Date(from).toISOString()}' AND ${inner()}`;
  }
  if (kind < 0.78) return `platform ${of(random, ["= 'aqua'", "<> 'terra'"])} AND ${inner()}`;
  if (kind < 0.82) return `ST_Intersects(bbox, ST_MakeEnvelope(-30, -30, 40, 30)) AND ${inner()}`;
  if (depth > 1) return box(random, columns);
  if (kind < 0.92) return `(${inner()} OR ${inner()})`;
  return `NOT (${inner()}${random() < 0.5 ? "" : ` OR ${inner()}`})`;
}

const numbersOf = (rows: number, options: Parameters<typeof boxColumns>[1]) => {
  const columns = boxColumns(rows, options);
  return Object.fromEntries(NAMES.map((name) => [name, [...(columns[name]!.values as Float64Array)]]));
};

/** What the attributes of `/indexes` say, changed. */
async function changeRecords(
  store: MemoryStore,
  change: (records: Record<string, Record<string, JsonObject>>) => void,
) {
  const document = parseJsonObject((await store.get("indexes/zarr.json"))!, "");
  change((document.attributes as JsonObject).zarrsift as never);
  store.set("indexes/zarr.json", writeJson(document));
  const root = parseJsonObject((await store.get("zarr.json"))!, "");
  delete root.consolidated_metadata;
  store.set("zarr.json", writeJson(root));
}

const BOX = "xmin <= 20 AND xmax >= 0 AND ymin < 15.5 AND ymax > -10.25";

describe("columns that hold the boxes of an R-tree", () => {
  it.each([
    ["float64", 0.25, 0.01],
    ["float64", 0, 0.01],
    ["float32", 0.25, 0.01],
    ["float64", 0.25, 0],
  ] as const)(
    "are answered as by a scan: %s in steps of %d, %d of the rows odd",
    { timeout: 120_000 },
    async (type, step, odd) => {
      const options = { type, step, odd, seed: 3 };
      const store = await boxSource(ROWS, options);
      await buildIndexes(store, store);
      const values = numbersOf(ROWS, options);
      const random = seeded(12);
      const told = { used: 0, found: 0, unused: 0 };
      for (let i = 0; i < 180; i++) {
        const where = condition(random, values, step);
        const { rows, scanned, boxes } = await both(store, where);
        expect(rows, where).toEqual(scanned);
        if (boxes.some(({ state }) => state === "verified")) told.used++;
        if (boxes.some(({ state }) => state === "unused")) told.unused++;
        if (boxes.length > 0 && rows.length > 0) told.found++;
      }
      expect(told.used).toBeGreaterThan(60);
      expect(told.found).toBeGreaterThan(60);
      expect(told.unused).toBeGreaterThan(10);
    },
  );

  it("are answered without indexes of their own, one side too", { timeout: 60_000 }, async () => {
    const options = { seed: 5 };
    const store = await boxSource(ROWS, options);
    await buildIndexes(store, store);
    await changeRecords(store, ({ indexes }) => {
      for (const name of NAMES) delete indexes![name];
    });
    const values = numbersOf(ROWS, options);
    const random = seeded(19);
    let used = 0;
    for (let i = 0; i < 150; i++) {
      const where = condition(random, values, 0.25);
      const { rows, scanned, boxes } = await both(store, where);
      expect(rows, where).toEqual(scanned);
      if (boxes.some(({ state }) => state === "verified")) used++;
    }
    expect(used).toBeGreaterThan(60);
  });

  it("are asked about one side where that leaves few rows", async () => {
    const store = await boxSource(ROWS);
    await buildIndexes(store, store);
    await changeRecords(store, ({ indexes }) => {
      for (const name of NAMES) delete indexes![name];
    });
    const side = await both(store, "xmin < -200");
    expect(side.boxes).toMatchObject([{ column: "xmin", state: "verified" }]);
    expect(side.rows).toEqual(side.scanned);
    // None of the tree's, but of the exceptions.
    expect(side.rows.length).toBeGreaterThan(1);
    const most = await both(store, "xmin <= 60");
    expect(most.boxes).toMatchObject([{ column: "xmin", state: "unused" }]);
    expect(most.boxes[0]!.why).toMatch(/no less than a scan$/);
  });

  it("are whole numbers, too", async () => {
    const options = { type: "int16", step: 1, odd: 0, seed: 9 } as const;
    const store = await boxSource(ROWS, options);
    await buildIndexes(store, store);
    const values = numbersOf(ROWS, options);
    const random = seeded(23);
    let used = 0;
    for (let i = 0; i < 100; i++) {
      const where = condition(random, values, 1);
      const { rows, scanned, boxes } = await both(store, where);
      expect(rows, where).toEqual(scanned);
      if (boxes.some(({ state }) => state === "verified")) used++;
    }
    expect(used).toBeGreaterThan(20);
  });

  it("are not read, and EXPLAIN names the tree", async () => {
    const store = await boxSource(ROWS);
    await buildIndexes(store, store);
    const counting = new CountingStore(store);
    const hierarchy = await Hierarchy.open(counting);
    const table = await openTable(hierarchy, counting);
    const log: string[] = [];
    for (const column of table.columns.values()) {
      const read = column.read.bind(column);
      column.read = (chunk, options) => {
        log.push(column.name);
        return read(chunk, options);
      };
    }
    const indexes = await openIndexes(counting, hierarchy, table);
    const query = planQuery(table, `SELECT idx FROM meta WHERE ${BOX}`, { indexes: async () => indexes });
    const rows = await all(query.matches());
    expect(log).toEqual([]);
    const { scanned, steps } = await both(store, BOX);
    expect(rows).toEqual(scanned);
    expect(rows.length).toBeGreaterThan(30);
    // One question, not one for each column; nothing is left to test.
    expect(steps.map(({ step }) => step)).toEqual(["index", "scan", "output"]);
    expect(steps[0]).toMatchObject({
      index: "/indexes/bbox",
      column: "xmin, xmax, ymin, ymax",
      state: "verified",
      rows_out: rows.length,
      why: BOX,
    });
  });

  it("combine with times and categories before anything is read", async () => {
    const store = await boxSource(5 * ROWS);
    await buildIndexes(store, store);
    const from = new Date(START + 2000 * 60_000).toISOString();
    const where = `${BOX} AND platform <> 'terra' AND date >= TIMESTAMP '${from}'`;
    const { rows, scanned, steps } = await both(store, where, "ORDER BY idx DESC");
    expect(rows).toEqual(scanned);
    const asked = steps.filter(({ step, state }) => step === "index" && state === "verified");
    expect(asked.map(({ column }) => column)).toEqual(
      expect.arrayContaining(["date", "xmin, xmax, ymin, ymax"]),
    );
  });

  it("keep the index of one column where that leaves fewer rows", async () => {
    const store = await boxSource(ROWS, { step: 0, seed: 4 });
    await buildIndexes(store, store, { columns: ["bbox", ...NAMES] });
    const [, some] = numbersOf(ROWS, { step: 0, seed: 4 }).xmin!;
    const { rows, scanned, steps } = await both(store, `xmin = ${some} AND xmax > -170`);
    expect(rows).toEqual(scanned);
    expect(rows).toContain(1);
    expect(steps[0]).toMatchObject({
      index: expect.stringMatching(/^\/indexes\/xmin\b/),
      state: "verified",
      rows_out: 1,
    });
  });

  it("need no index of their own: they get one by name, or once one of them holds other values", async () => {
    const store = await boxSource(ROWS);
    const kindsOf = async (options: Parameters<typeof buildIndexes>[2] = {}) =>
      Object.fromEntries(
        (await buildIndexes(store, store, options)).map(({ column, kind }) => [column, kind]),
      );
    const none = { xmin: undefined, ymin: undefined, xmax: undefined, ymax: undefined };
    const all = { xmin: "btree", ymin: "btree", xmax: "btree", ymax: "btree" };
    expect(await kindsOf()).toMatchObject({ bbox: "rtree", ...none });
    expect(await kindsOf({ columns: ["ymax"] })).toEqual({ ymax: "btree" });
    const changed = boxColumns(ROWS).xmin!;
    changed.values = Float64Array.from(changed.values as Float64Array, (side) => side / 3);
    await putColumn(store, "xmin", changed, BOX_CHUNK);
    expect(await kindsOf()).toMatchObject({ bbox: "rtree", ...all });
    expect((await both(store, BOX)).boxes).toEqual([]);
  });

  it("are scanned where rows came later, and found anew when these are indexed", {
    timeout: 60_000,
  }, async () => {
    const options = { seed: 8 };
    const store = await boxSource(ROWS - 170, options);
    await buildIndexes(store, store);
    await lengthenBoxes(store, ROWS + 400, options);
    const values = numbersOf(ROWS + 400, options);
    const random = seeded(40);
    const ask = async (times: number) => {
      let used = 0;
      for (let i = 0; i < times; i++) {
        const where = condition(random, values, 0.25);
        const { rows, scanned, boxes } = await both(store, where);
        expect(rows, where).toEqual(scanned);
        if (boxes.some(({ state }) => state === "verified")) used++;
      }
      return used;
    };
    expect(await ask(80)).toBeGreaterThan(20);
    const grown = await both(store, BOX);
    expect(grown.boxes[0]!.state).toBe("verified");
    expect(grown.steps.some(({ step }) => step === "filter")).toBe(true);
    await buildIndexes(store, store);
    expect((await both(store, BOX)).steps.map(({ step }) => step)).toEqual(["index", "scan", "output"]);
    expect(await ask(40)).toBeGreaterThan(10);
  });

  it.each(NAMES)("are stale where %s changed, the tree not", async (name) => {
    const store = await boxSource(ROWS);
    await buildIndexes(store, store);
    const changed = boxColumns(ROWS)[name]!;
    changed.values = Float64Array.from(changed.values as Float64Array, (side) => side / 3);
    await putColumn(store, name, changed, BOX_CHUNK);
    const { rows, scanned, boxes } = await both(store, BOX);
    expect(rows).toEqual(scanned);
    expect(boxes.length).toBeGreaterThan(0);
    for (const { state, why } of boxes) {
      expect(state).toBe("stale");
      expect(why).toMatch(new RegExp(`chunk \\d+ of ${name} changed`));
    }
    const spatial = await both(store, "ST_Intersects(bbox, ST_MakeEnvelope(0, 0, 9, 9))");
    expect(spatial.rows).toEqual(spatial.scanned);
    expect(spatial.steps[0]).toMatchObject({ index: "/indexes/bbox", state: "verified" });
    // Indexed alone, the column is other values than were compared.
    await buildIndexes(store, store, { columns: [name] });
    const alone = await both(store, BOX);
    expect(alone.rows).toEqual(alone.scanned);
    expect(alone.boxes.length).toBeGreaterThan(0);
    for (const { state, why } of alone.boxes)
      expect([state, why]).toEqual(["stale", expect.stringContaining(name)]);
    await buildIndexes(store, store);
    const after = await both(store, BOX);
    expect(after.rows).toEqual(after.scanned);
    expect(after.boxes).toEqual([]);
  });

  it("are answered anew over HTTP where a chunk that is read is not what was indexed", async () => {
    const local = await boxSource(ROWS);
    await buildIndexes(local, local);
    const remote = new MemoryStore([], { url: "https://example.com/granules.zarr" });
    for (const key of local.keys()) remote.set(key, (await local.get(key))!);
    const changed = boxColumns(ROWS).xmax!;
    changed.values = Float64Array.from(changed.values as Float64Array, (side) => side / 3);
    await putColumn(remote, "xmax", changed, BOX_CHUNK);
    const { hierarchy, table } = await tableOf(remote);
    const opened = await openIndexes(remote, hierarchy, table);
    const sql = `SELECT idx, xmax FROM meta WHERE ${BOX}`;
    const rows = async (query: ReturnType<typeof planQuery>) => {
      const found: number[] = [];
      for await (const { idx } of query.run()) found.push(...idx);
      return found;
    };
    const found = await rows(planQuery(table, sql, { indexes: async () => opened }));
    expect(found).toEqual(await rows(planQuery(table, sql, { asWritten: true })));
  });

  it.each(["rows", "values"])("are scanned where the %s of exceptions are damaged, or gone", async (name) => {
    const store = await boxSource(ROWS);
    await buildIndexes(store, store);
    const key = [...store.keys()].find((one) => one.includes("/covering/") && one.endsWith(`/${name}/c/0`))!;
    const bytes = (await store.get(key))!.slice();
    const random = seeded(2);
    for (let i = 0; i < 10; i++) {
      const broken = bytes.slice();
      broken[Math.floor(random() * broken.length)]! ^= 1 << Math.floor(random() * 8);
      store.set(key, broken);
      const { rows, scanned, boxes } = await both(store, BOX);
      expect(rows).toEqual(scanned);
      expect(boxes).toMatchObject([
        { state: "stale", why: expect.stringMatching(/does not have its checksum/) },
      ]);
    }
    store.delete(key);
    const gone = await both(store, BOX);
    expect(gone.rows).toEqual(gone.scanned);
    expect(gone.boxes).toMatchObject([{ state: "stale" }]);
    store.set(key, bytes);
    expect((await both(store, BOX)).boxes).toMatchObject([{ state: "verified" }]);
  });
});
