/** Queries answered through indexes, next to the same queries answered by a scan. */
import { beforeAll, describe, expect, it } from "vitest";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { buildIndexes } from "../../src/index/build/build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { type ExplainStep, planQuery } from "../../src/plan/index.ts";
import { CountingStore } from "../../src/store/count.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { openTable } from "../../src/table/open.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { makeSource, putColumn, seeded, type TestColumn, tableOf, utf8 } from "../index/source.ts";
import { answer } from "./memory-table.ts";

const MS = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
const START = 1_750_000_000_000;
const ROWS = 6000;
const CHUNK = 500;

/** Boxes, triangles, points and lines; some empty, some across ±180, some drawn from 180 to 360. */
function shape(random: () => number): Uint8Array {
  const kind = random();
  if (kind < 0.08) return new Uint8Array(0);
  const west = kind < 0.2 ? 172 + random() * 14 : kind < 0.25 ? 200 + random() * 100 : random() * 340 - 180;
  const south = random() * 160 - 80;
  const [east, north] = [west + 0.1 + random() * 12, south + 0.1 + random() * 6];
  const wkt =
    kind < 0.7
      ? `POLYGON((${west} ${south},${east} ${south},${east} ${north},${west} ${north},${west} ${south}))`
      : kind < 0.9
        ? `POLYGON((${west} ${south},${east} ${south},${west} ${north},${west} ${south}))`
        : kind < 0.95
          ? `POINT(${west} ${south})`
          : `LINESTRING(${west} ${south},${east} ${north})`;
  return writeWkb(parseWkt(wkt));
}

function columns(rows: number, seed: number): Record<string, TestColumn> {
  const random = seeded(seed);
  const all = Array.from({ length: rows }, (_, i) => i);
  return {
    bbox: {
      type: "bytes",
      attributes: { "ARROW:extension:name": "geoarrow.wkb" },
      values: all.map(() => shape(random)),
    },
    date: { type: MS, values: BigInt64Array.from(all, (i) => BigInt(START + i * 60_000)) },
    clouds: {
      type: "float32",
      values: Float32Array.from(all, () => (random() < 0.1 ? Number.NaN : random() * 100)),
    },
    big: {
      type: "int64",
      values: BigInt64Array.from(all, () => 2n ** 60n + BigInt(Math.floor(random() * 900))),
    },
    level: {
      type: "int16",
      attributes: { _FillValue: -1 },
      values: Int16Array.from(all, () => Math.floor(random() * 6) * 10 - (random() < 0.2 ? 1 : 0)).map(
        (value) => (value % 10 === 0 ? value : -1),
      ),
    },
    ok: { type: "bool", values: Uint8Array.from(all, () => (random() < 0.05 ? 1 : 0)) },
    title: {
      type: "string",
      attributes: { _FillValue: "none" },
      values: all.map((i) =>
        utf8(random() < 0.03 ? "none" : `${["S1", "S2", "L8", "é"][i % 4]}_${Math.floor(random() * 3000)}`),
      ),
    },
    platform: {
      type: "string",
      values: all.map(() => utf8(["aqua", "terra", "suomi", "", "noaa"][Math.floor(random() * 5)]!)),
    },
  };
}

const iso = (ms: number) => new Date(ms).toISOString();

/** A condition that some index may answer, or none, or part of. */
function condition(random: () => number, depth = 0): string {
  const kind = random();
  const number = () => Math.floor(random() * 100);
  if (kind < 0.1) {
    const from = START + random() * ROWS * 60_000;
    return `date >= TIMESTAMP '${iso(from)}' AND date < TIMESTAMP '${iso(from + random() * 4e7)}'`;
  }
  if (kind < 0.15) return `clouds ${random() < 0.5 ? "<" : ">="} ${number() / (random() < 0.5 ? 10 : 1)}`;
  if (kind < 0.2) return `big BETWEEN 1152921504606846976 AND 1152921504606846976 + ${number()}`;
  if (kind < 0.25) return `platform ${random() < 0.5 ? "= 'aqua'" : "IN ('terra', '', 'nobody')"}`;
  if (kind < 0.55) return another(random);
  if (kind < 0.8 || depth > 1) return spatial(random);
  const [left, right] = [condition(random, depth + 1), condition(random, depth + 1)];
  return kind < 0.92 ? `(${left} OR ${right})` : `NOT (${left} AND ${right})`;
}

function another(random: () => number): string {
  const number = (most: number) => Math.floor(random() * most);
  const negated = random() < 0.3 ? "NOT " : "";
  const title = `${["S1", "S2", "L8", "é", "none"][number(5)]}_${number(3000)}`;
  const others = [
    `platform ${negated}IN ('aqua', 'terra', 'noaa')`,
    `platform ${negated}LIKE '%${["a", "rr", "o"][number(3)]}%'`,
    `upper(platform) = 'AQUA'`,
    `${["clouds", "level", "title", "bbox", "date"][number(5)]} IS ${negated}NULL`,
    `level ${negated}IN (10, ${10 * number(6)}, 7${random() < 0.2 ? ", NULL" : ""})`,
    `level ${["<", ">=", "<>"][number(3)]} ${number(60)}`,
    `(level IS NULL OR level = ${10 * number(6)})`,
    `${negated}ok`,
    `ok IS ${negated}TRUE`,
    `(clouds > ${90 + number(10)}) IS TRUE`,
    `title ${negated}LIKE '${title.slice(0, 2 + number(4))}%'`,
    `title LIKE '${title.slice(0, 3 + number(3))}%1'`,
    `title ${negated}BETWEEN '${title}' AND '${title.slice(0, 3)}~'`,
    `title ${["<", "<=", ">", ">=", "=", "<>"][number(6)]} '${title}'`,
    `NOT (clouds >= ${number(8)} AND clouds <= ${92 + number(8)})`,
    `clouds NOT BETWEEN ${number(8)} AND ${92 + number(8)}`,
    `(clouds < ${number(9)} AND level = ${10 * number(6)} OR title LIKE '${title.slice(0, 5)}%')`,
  ];
  return others[number(others.length)]!;
}

const PREDICATES = [
  "Intersects",
  "Within",
  "Contains",
  "Covers",
  "CoveredBy",
  "Touches",
  "Overlaps",
  "Equals",
];

function spatial(random: () => number): string {
  const predicate = PREDICATES[Math.floor(random() ** 2 * PREDICATES.length)]!;
  const west = random() < 0.3 ? 165 + random() * 14 : random() * 320 - 180;
  const south = random() * 140 - 80;
  const [width, height] = [random() * 40, random() * 30];
  const box = `ST_MakeEnvelope(${west}, ${south}, ${west + width > 180 ? west + width - 360 : west + width}, ${south + height})`;
  const triangle = `ST_GeomFromText('POLYGON((${west} ${south},${west + width} ${south},${west} ${south + height},${west} ${south}))')`;
  const other = random() < 0.6 ? box : triangle;
  return random() < 0.85 ? `ST_${predicate}(bbox, ${other})` : `ST_${predicate}(${other}, bbox)`;
}

async function both(
  store: MemoryStore,
  sql: string,
): Promise<{ rows: number[]; scanned: number[]; used: string[]; steps: ExplainStep[] }> {
  const { hierarchy, table } = await tableOf(store);
  const indexes = await openIndexes(store, hierarchy, table);
  const query = planQuery(table, sql, { indexes: async () => indexes });
  const steps = await query.explain();
  const used = steps.filter(({ step, state }) => step === "index" && state === "verified");
  return {
    steps,
    rows: await all(query.matches()),
    scanned: await all(planQuery(table, sql, { asWritten: true }).matches()),
    used: used.flatMap(({ index }) => index!.split(", ")).map((path) => path.replace(/\/b[0-9a-f]{16}$/, "")),
  };
}

/** What running a query reads, its indexes opened anew. */
async function costs(store: MemoryStore, sql: string) {
  const counting = new CountingStore(store);
  const hierarchy = await Hierarchy.open(counting);
  const table = await openTable(hierarchy, counting);
  const indexes = await openIndexes(counting, hierarchy, table);
  const plan = await planQuery(table, sql, { indexes: async () => indexes }).explain();
  Object.assign(counting.total, { requests: 0, bytes: 0 });
  const fresh = await openIndexes(counting, hierarchy, table);
  const rows: number[] = [];
  // The state is found by requests of its own.
  for (const index of fresh.indexes) await index.state();
  Object.assign(counting.total, { requests: 0, bytes: 0 });
  for await (const { idx } of planQuery(table, sql, { indexes: async () => fresh }).run()) rows.push(...idx);
  return { ...counting.total, plan, rows };
}

async function all(parts: AsyncIterable<Float64Array>): Promise<number[]> {
  const rows: number[] = [];
  for await (const part of parts) rows.push(...part);
  return rows;
}

describe("queries over indexes", () => {
  let store: MemoryStore;
  beforeAll(async () => {
    store = await makeSource(columns(ROWS, 7), CHUNK);
    await buildIndexes(store, store);
  });

  it("answer as a scan does: random conditions", { timeout: 120_000 }, async () => {
    const random = seeded(20);
    const kinds = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const where = Array.from({ length: 1 + Math.floor(random() * 3) }, () => condition(random)).join(
        " AND ",
      );
      const { rows, scanned, used } = await both(store, `SELECT idx FROM meta WHERE ${where}`);
      expect(rows, where).toEqual(scanned);
      for (const path of used) kinds.set(path, (kinds.get(path) ?? 0) + 1);
    }
    for (const name of ["bbox", "date", "clouds", "platform", "level", "title", "ok"])
      expect(kinds.get(`/indexes/${name}`), name).toBeGreaterThan(0);
  });

  it("take the first rows in order from the head of an index", { timeout: 120_000 }, async () => {
    const random = seeded(31);
    const of = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    let [walked, conditions] = [0, 0];
    const grown = await makeSource(columns(ROWS - 130, 7), CHUNK);
    await buildIndexes(grown, grown);
    for (const [name, column] of Object.entries(columns(ROWS, 7)))
      await putColumn(grown, name, column, CHUNK);
    for (let i = 0; i < 250; i++) {
      const where = of([1, 2, 3]) === 1 ? "" : `WHERE ${condition(random)}`;
      const key = () =>
        of(["clouds", "big", "date", "title"]) + of(["", " DESC"]) + of(["", " NULLS FIRST", " NULLS LAST"]);
      const more = of(["", "", ", idx", ", idx DESC", ", level, platform DESC", `, ${key()}`]);
      const tail = `ORDER BY ${key()}${more} LIMIT ${1 + Math.floor(random() * 40)} OFFSET ${of([0, 0, 3, 25])}`;
      const sql = `SELECT idx FROM meta ${where} ${tail}`;
      const { rows, scanned, steps } = await both(of([1, 2, 3]) === 1 ? grown : store, sql);
      expect(rows, sql).toEqual(scanned);
      const step = steps.find(({ why }) => why.includes("ORDER BY"));
      if (step?.state === "verified") walked++;
      if (step?.state === "verified" && where !== "") conditions++;
    }
    expect(walked).toBeGreaterThan(100);
    expect(conditions).toBeGreaterThan(20);
  });

  it("read only the head of an index for the first rows in its order", async () => {
    const { requests, bytes, plan } = await costs(
      store,
      "SELECT idx FROM meta ORDER BY clouds DESC LIMIT 10",
    );
    expect(
      plan.some(
        ({ step, index, state }) => step === "index" && /clouds/.test(index!) && state === "verified",
      ),
    ).toBe(true);
    // Fences, a page of keys and one of rows with their checksums: of 7 pages each.
    expect(requests).toBeLessThanOrEqual(6);
    expect(bytes).toBeLessThan(70_000);
    const counting = new CountingStore(store);
    const hierarchy = await Hierarchy.open(counting);
    const table = await openTable(hierarchy, counting);
    const indexes = await openIndexes(counting, hierarchy, table);
    const sql = "SELECT idx FROM meta WHERE level = 20 ORDER BY clouds DESC LIMIT 10";
    const steps = await planQuery(table, sql, { indexes: async () => indexes }).analyze();
    const sort = steps.find(({ step }) => step === "sort")!;
    expect(sort.requests).toBeGreaterThan(1);
    expect(sort.requests).toBeLessThan(8);
    expect(steps.find(({ step }) => step === "scan")!.why).toMatch(
      /^rows in the order of clouds, until 10 meet/,
    );
    const scan = await costs(store, "SELECT idx FROM meta ORDER BY clouds + 0 DESC LIMIT 10");
    expect(scan.requests).toBe(ROWS / CHUNK);
  });

  it("count, and find least and greatest values, from what they know", { timeout: 120_000 }, async () => {
    const random = seeded(33);
    const of = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    const grown = await makeSource(columns(ROWS - 130, 7), CHUNK);
    await buildIndexes(grown, grown);
    for (const [name, column] of Object.entries(columns(ROWS, 7)))
      await putColumn(grown, name, column, CHUNK);
    const told = { counted: 0, known: 0, walked: 0 };
    for (let i = 0; i < 300; i++) {
      const where = of([1, 2, 3]) === 1 ? "" : `WHERE ${condition(random)}`;
      const column = () => of(["clouds", "big", "date", "title", "level", "ok", "platform"]);
      const call = () =>
        of([
          () => "count(*)",
          () => `count(${column()})`,
          () => `min(${column()})`,
          () => `max(${column()})`,
        ])();
      const items = of([
        ["count(*)"],
        [`${of(["min", "max"])}(${of(["clouds", "big", "date", "title"])})`],
        [call(), call()],
      ]);
      const listed = items.map((item, k) => `${item} AS a${k}`).join(", ");
      const sql = `SELECT ${listed} FROM meta ${where} ${of(["", "", "HAVING count(*) > 20"])}`;
      const source = of([1, 2, 3]) === 1 ? grown : store;
      const { hierarchy, table } = await tableOf(source);
      const indexes = await openIndexes(source, hierarchy, table);
      const query = planQuery(table, sql, { indexes: async () => indexes });
      const plain = await answer(planQuery(table, sql, { asWritten: true }));
      expect((await answer(query)).rows, sql).toEqual(plain.rows);
      for (const { why } of await query.explain()) {
        if (/are counted, not named/.test(why)) told.counted++;
        if (/known of/.test(why)) told.known++;
        if (/first rows in order/.test(why)) told.walked++;
      }
    }
    expect(told.counted).toBeGreaterThan(15);
    expect(told.known).toBeGreaterThan(30);
    expect(told.walked).toBeGreaterThan(10);
  });

  it("read no column to count rows, or for least and greatest values of all", async () => {
    const columnReads = async (sql: string) => {
      const log: string[] = [];
      const { hierarchy, table } = await tableOf(store);
      const indexes = await openIndexes(store, hierarchy, table);
      for (const column of table.columns.values()) {
        const read = column.read.bind(column);
        column.read = (chunk, options) => {
          log.push(`${column.name}/${chunk}`);
          return read(chunk, options);
        };
      }
      const { rows } = await answer(planQuery(table, sql, { indexes: async () => indexes }));
      return { rows, log };
    };
    const { rows, log } = await columnReads("SELECT count(*) AS n FROM meta WHERE clouds >= 20");
    expect(log).toEqual([]);
    expect(Number(rows[0]![0])).toBeGreaterThan(4000);
    expect(
      (await columnReads("SELECT min(clouds), max(title), count(level), max(date) FROM meta")).log,
    ).toEqual([]);
    expect((await columnReads("SELECT count(*) FROM meta WHERE level <> 10")).log).toEqual([]);
    const least = await columnReads("SELECT min(big) AS least FROM meta WHERE platform = 'aqua'");
    expect(least.log.length).toBeLessThanOrEqual(1);
  });

  it("keep order, limits, groups and sorts", async () => {
    for (const tail of [
      "ORDER BY idx DESC LIMIT 7",
      "LIMIT 5 OFFSET 3",
      "ORDER BY clouds DESC, idx LIMIT 9",
    ]) {
      const { rows, scanned, used } = await both(
        store,
        `SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(-30, -30, 30, 30)) AND platform = 'aqua' ${tail}`,
      );
      expect(used.length, tail).toBeGreaterThan(0);
      expect(rows, tail).toEqual(scanned);
    }
    const { hierarchy, table } = await tableOf(store);
    const indexes = await openIndexes(store, hierarchy, table);
    const sql =
      "SELECT platform, count(*) AS n FROM meta WHERE clouds < 5 GROUP BY platform ORDER BY platform";
    const counts = async (options: object) => {
      const found: unknown[] = [];
      for await (const { vectors, length } of planQuery(table, sql, options).run())
        found.push(length, ...[...(vectors[1] as { values: Float64Array }).values]);
      return found;
    };
    expect(await counts({ indexes: async () => indexes })).toEqual(await counts({ asWritten: true }));
  });

  it("scan rows that came later, and say when an index is stale", async () => {
    const grown = await makeSource(columns(ROWS, 9), CHUNK);
    await buildIndexes(grown, grown);
    for (const [name, column] of Object.entries(columns(ROWS + 700, 9)))
      await putColumn(grown, name, column, CHUNK);
    const random = seeded(5);
    for (let i = 0; i < 60; i++) {
      const where = condition(random);
      const { rows, scanned } = await both(grown, `SELECT idx FROM meta WHERE ${where}`);
      expect(rows, where).toEqual(scanned);
    }
    const changed = columns(ROWS + 700, 9);
    changed.clouds!.values = Float32Array.from(changed.clouds!.values as Float32Array, (value) => value / 2);
    await putColumn(grown, "clouds", changed.clouds!, CHUNK);
    const sql = "SELECT idx FROM meta WHERE clouds < 3";
    const { rows, scanned } = await both(grown, sql);
    expect(rows).toEqual(scanned);
    const { hierarchy, table } = await tableOf(grown);
    const indexes = await openIndexes(grown, hierarchy, table);
    const [step] = await planQuery(table, sql, { indexes: async () => indexes }).explain();
    expect(step).toMatchObject({
      step: "index",
      index: expect.stringMatching(/^\/indexes\/clouds\b/),
      state: "stale",
    });
  });

  it("are answered anew over HTTP where a chunk that is read is not what was indexed", async () => {
    const local = await makeSource(columns(ROWS, 7), CHUNK);
    await buildIndexes(local, local);
    const remote = new MemoryStore([], { url: "https://example.com/granules.zarr" });
    for (const key of local.keys()) remote.set(key, (await local.get(key))!);
    const changed = columns(ROWS, 7).clouds!;
    changed.values = Float32Array.from(changed.values as Float32Array, (value) => (value * 7) % 100);
    await putColumn(remote, "clouds", changed, CHUNK);
    for (const sql of [
      "SELECT idx, clouds FROM meta ORDER BY clouds LIMIT 5",
      "SELECT idx, clouds FROM meta WHERE clouds < 10",
      "SELECT min(clouds) AS a FROM meta WHERE platform = 'aqua'",
    ]) {
      const { hierarchy, table } = await tableOf(remote);
      const opened = await openIndexes(remote, hierarchy, table);
      const found = await answer(planQuery(table, sql, { indexes: async () => opened }));
      expect(found.rows, sql).toEqual((await answer(planQuery(table, sql, { asWritten: true }))).rows);
    }
  });

  it("scan where an index is damaged", async () => {
    const broken = await makeSource(columns(ROWS, 11), CHUNK);
    await buildIndexes(broken, broken);
    const tree = (await broken.list("indexes/bbox"))!;
    expect(tree.keys.length + tree.prefixes.length).toBeGreaterThan(0);
    const key = (await broken.get("indexes/bbox/c.0")) ? "indexes/bbox/c.0" : "indexes/bbox/c/0";
    const bytes = (await broken.get(key))!.slice();
    for (let at = 100; at < bytes.length; at += 1000) bytes[at] = bytes[at]! ^ 0x55;
    broken.set(key, bytes);
    const sql = "SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(-30, -30, 0, 0))";
    const { rows, scanned, used } = await both(broken, sql);
    expect(used).toEqual([]);
    expect(rows).toEqual(scanned);
  });

  it("ask no further index where few rows are left, and test first what keeps fewest", async () => {
    const narrow = `date BETWEEN TIMESTAMP '${iso(START + 9e6)}' AND TIMESTAMP '${iso(START + 12e6)}'`;
    const { plan, requests } = await costs(
      store,
      `SELECT idx FROM meta WHERE clouds < 20 AND big < 1152921504606846976 + 700 AND ${narrow}`,
    );
    const steps = plan.map(({ step, column, state }) => [step, column, state]);
    expect(steps.slice(0, 3)).toEqual([
      ["index", "date", "verified"],
      ["index", "clouds", "unused"],
      ["index", "big", "unused"],
    ]);
    expect(plan[1]!.why).toMatch(/no less than testing the 51 rows that are left$/);
    expect(plan.filter(({ step }) => step === "filter").map(({ column }) => column)).toEqual([
      "clouds",
      "big",
    ]);
    // Fences of three indexes, a leaf of date with its checksum, and a chunk of either column.
    expect(requests).toBeLessThanOrEqual(10);
  });

  it("let indexes answer LIKE, NOT, NULL, and conditions on columns of few values", async () => {
    for (const [where, path] of [
      ["title LIKE 'L8!_12%' ESCAPE '!'", "title"],
      ["title >= 'é_1' AND title < 'é_11'", "title"],
      ["title IS NULL", "title"],
      [`NOT (date >= TIMESTAMP '${iso(START + 9e6)}')`, "date"],
      ["level = 30 AND platform LIKE '%aq%' OR title LIKE 'S1!_12%' ESCAPE '!'", "level, platform, title"],
      ["upper(platform) LIKE 'NO%' AND platform <> ''", "platform"],
    ] as const) {
      const { rows, scanned, steps, used } = await both(store, `SELECT idx FROM meta WHERE ${where}`);
      expect(rows, where).toEqual(scanned);
      expect(rows.length, where).toBeGreaterThan(0);
      for (const name of path.split(", ")) expect(used, where).toContain(`/indexes/${name}`);
      // Nothing is left to test.
      expect(
        steps.filter(({ step }) => step === "filter"),
        where,
      ).toEqual([]);
    }
  });

  it.each(["keys", "rows", "keys_crc", "fences"])(
    "scan where the %s of an order are damaged",
    async (name) => {
      const broken = await makeSource(columns(ROWS, 11), CHUNK);
      await buildIndexes(broken, broken);
      const { hierarchy, table } = await tableOf(broken);
      const { indexes } = await openIndexes(broken, hierarchy, table);
      const path = indexes.find(({ column }) => column === "clouds")!.path.slice(1);
      const key = `${path}/${name}/c/0`;
      const bytes = (await broken.get(key))!.slice();
      for (let at = 0; at < bytes.length; at += 100) bytes[at] = bytes[at]! ^ 0x55;
      broken.set(key, bytes);
      for (const sql of [
        "SELECT idx FROM meta ORDER BY clouds DESC LIMIT 20",
        "SELECT idx FROM meta WHERE platform = 'aqua' ORDER BY clouds NULLS FIRST LIMIT 1000",
        "SELECT min(clouds) AS least, max(clouds) AS most FROM meta WHERE platform = 'aqua'",
        "SELECT count(*) AS n FROM meta WHERE clouds < 70",
      ]) {
        const opened = await openIndexes(broken, hierarchy, table);
        const found = await answer(planQuery(table, sql, { indexes: async () => opened }));
        expect(found.rows, sql).toEqual((await answer(planQuery(table, sql, { asWritten: true }))).rows);
      }
    },
  );
});
