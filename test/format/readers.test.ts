import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrowStream } from "../../src/format/arrow.ts";
import { geojsonText } from "../../src/format/geojson.ts";
import { jsonText } from "../../src/format/json.ts";
import type { RowBatch, RowColumn } from "../../src/format/rows.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { vectorOf } from "../../src/plan/eval/vectors.ts";
import { planQuery } from "../../src/plan/plan.ts";
import type { SqlType, TimeUnit } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { decodeFloat16 } from "../../src/zarr/codecs/float16.ts";
import { type ColumnData, MemoryTable, random } from "../plan/memory-table.ts";
import { Dice } from "../plan/naive.ts";

const PYTHON = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";
const has = (module: string) => spawnSync(PYTHON, ["-c", `import ${module}, numpy, shapely`]).status === 0;

/** Libraries that open what was written. `npm test` installs pyarrow alone, the others are large: skipped where absent. */
const READERS = ["pyarrow", "polars", "duckdb", "geopandas"] as const;
const here = Object.fromEntries(READERS.map((name) => [name, has(name)])) as Record<string, boolean>;

const WKT = [
  "POINT(1 2)",
  "POINT EMPTY",
  "POLYGON EMPTY",
  "LINESTRING(0.1 -0.2,179.99999999999997 1e-7)",
  "POLYGON((0 0,10 0,10 10,0 10,0 0),(1 1,1 2,2 2,2 1,1 1))",
  "MULTIPOINT(1 2,3 4)",
  "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
  "MULTIPOLYGON(((170 0,190 0,190 5,170 0)),((0 0,1 0,1 1,0 0)))",
  "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
  "POINT Z (1 2 3)",
];
const WORDS = ["", "a", "é", "😀", "\u0000", 'a"b\\', "a\r\n,b", "𝒳".repeat(40), "\u2028"];

type Draw = (dice: Dice) => CellValue;

/** Integers of a width: both ends, 0, the neighbours of 2^53, others. */
function whole(bits: number, signed: boolean): Draw {
  const [least, most] = signed
    ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
    : [0n, 2n ** BigInt(bits) - 1n];
  const known = [
    least,
    most,
    0n,
    1n,
    -1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2n ** 31n,
    -(2n ** 32n) - 5n,
  ];
  const fit = known.filter((value) => value >= least && value <= most);
  return (dice) => (bits === 64 ? dice.of(fit) : Number(dice.of(fit)));
}

/** Times of the years 1678 to 2261, which all units and libraries have. */
function instant(unit: TimeUnit): Draw {
  const per = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit];
  return (dice) => BigInt(dice.below(18_000_000_000) - 9_000_000_000) * per + (BigInt(dice.below(1e9)) % per);
}

const finite = [
  0,
  -0,
  0.1,
  1.5,
  -3,
  65504,
  2 ** -24,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];
const COLUMNS: Record<string, [SqlType, Draw]> = {
  ok: [{ kind: "bool" }, (dice) => dice.chance(0.5)],
  ...Object.fromEntries(
    ([8, 16, 32, 64] as const).flatMap((bits) =>
      [true, false].map((signed) => [
        `${signed ? "i" : "u"}${bits}`,
        [{ kind: "int", bits, signed } as SqlType, whole(bits, signed)],
      ]),
    ),
  ),
  small: [{ kind: "int", bits: 64, signed: true }, (dice) => BigInt(dice.below(2 ** 52)) - 2n ** 51n],
  h: [{ kind: "float", bits: 16 }, (dice) => decodeFloat16(Uint16Array.of(dice.below(65536)))[0]!],
  f: [{ kind: "float", bits: 32 }, (dice) => Math.fround(dice.of([...finite, 1e30, 2 ** -149, dice.next()]))],
  d: [{ kind: "float", bits: 64 }, (dice) => dice.of([...finite, 1e300, 5e-324, dice.next()])],
  s: [{ kind: "string" }, (dice) => dice.of(WORDS)],
  raw: [{ kind: "bytes" }, (dice) => Uint8Array.from({ length: dice.below(5) }, () => dice.below(256))],
  g: [{ kind: "geometry", encoding: "wkb" }, (dice) => writeWkb(parseWkt(dice.of(WKT)))],
  w: [{ kind: "geometry", encoding: "wkt" }, (dice) => dice.of(WKT)],
  ...Object.fromEntries(
    (["s", "ms", "us", "ns"] as const).flatMap((unit) => [
      [`t_${unit}`, [{ kind: "timestamp", unit } as SqlType, instant(unit)]],
      [`span_${unit}`, [{ kind: "duration", unit } as SqlType, instant(unit)]],
    ]),
  ),
};

/** A table of all types; columns differ in their chunks, NULL is anywhere, and in one chunk everywhere. */
function tableOf(rows: number, seed: number): MemoryTable {
  const dice = new Dice(random(seed));
  const data: Record<string, ColumnData> = {};
  for (const [name, [type, draw]] of Object.entries(COLUMNS)) {
    const share = dice.of([0, 0.2, 1]);
    const cells = Array.from({ length: rows }, (_, i) =>
      dice.chance(share) || (share > 0 && i < 16) ? null : draw(dice),
    ).map((cell) => (Number.isNaN(cell) ? null : cell));
    data[name] = { type, cells, chunkRows: dice.of([7, 64, 1000]) };
  }
  return new MemoryTable(data, { geometry: "g" });
}

const QUERIES: Record<string, string> = {
  all: "SELECT * FROM meta",
  backwards: "SELECT idx, * FROM meta ORDER BY idx DESC",
  sorted: "SELECT * FROM meta ORDER BY s, small LIMIT 150",
  nothing: "SELECT *, idx FROM meta WHERE idx < 0",
  one: "SELECT * FROM meta LIMIT 1 OFFSET 40",
  computed: `SELECT idx + 1 AS next, NULL AS nothing, g, w, i8 + 1 AS a, f * 2 AS b, small / 3 AS c, d / 0.0 AS e,
    s || 'é' AS "odd "" name", u64 IS NULL AS k, coalesce(i8, 5) AS m, coalesce(i16, small) AS n,
    CASE WHEN ok THEN i32 ELSE 7 END AS o, CASE WHEN ok THEN t_ns ELSE t_s END AS p, CAST(i16 AS DOUBLE) AS q,
    TIMESTAMP '2025-01-01' AS r, TRUE AS t, 1.5 AS v, CASE WHEN ok THEN s END AS x, 9007199254740993 AS y,
    CASE WHEN ok THEN NULL ELSE i32 END AS aa, coalesce(NULL, s) AS ab, CAST(NULL AS BIGINT) AS ac, nullif(i8, 0) AS ad,
    coalesce(i8, u64) AS ae, coalesce(i32, f) AS af, CASE WHEN ok THEN 1 ELSE 2.5 END AS ag, -u8 AS ah, -h AS ai,
    i8 * i16 AS aj, CASE WHEN ok THEN g END AS al, upper(s) AS am, abs(i8) AS an, floor(f) AS ao,
    length(s) AS ap, CAST(small AS FLOAT) AS aq, CAST(u8 AS SMALLINT) AS ar, round(d) AS at_, sqrt(i16 * i16) AS au
    FROM meta`,
};

let folder: string;
let agreed: Record<string, number>;

async function write(name: string, columns: RowColumn[], batches: () => AsyncIterable<RowBatch>) {
  const save = async (ending: string, pieces: AsyncIterable<string | Uint8Array>) => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(Buffer.from(piece));
    writeFileSync(join(folder, `${name}.${ending}`), Buffer.concat(all));
  };
  await save("json", jsonText(columns, batches(), "v"));
  await save("arrows", arrowStream(columns, batches()));
  if (columns.some(({ type }) => type.kind === "geometry"))
    await save("geojson", geojsonText(columns, batches()));
}

/** Times that only 64 bits and our own calendar hold, and every float16 there is. */
async function writeExtremes() {
  const cells = [-(2n ** 63n) + 1n, 2n ** 63n - 1n, null, 0n, -1n];
  const units = ["s", "ms", "us", "ns"] as const;
  const types = units.flatMap((unit): SqlType[] => [
    { kind: "timestamp", unit },
    { kind: "duration", unit },
  ]);
  const times = types.map((type, i) => ({ name: `c${i}`, type }));
  await write("extreme-times", times, async function* () {
    yield { length: 5, vectors: types.map((type) => vectorOf(type, cells)) };
  });
  const half: SqlType = { kind: "float", bits: 16 };
  const halves = Array.from(decodeFloat16(Uint16Array.from({ length: 65536 }, (_, i) => i)));
  await write("halves", [{ name: "h", type: half }], async function* () {
    yield { length: 65536, vectors: [vectorOf(half, halves)] };
  });
}

describe.skipIf(!here.pyarrow && !here.polars)(
  "answers as Arrow and GeoJSON, cell by cell beside JSON, opened by",
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "zarrsift-formats-"));
      for (const seed of [1, 2, 3]) {
        const table = tableOf(400, seed);
        for (const [name, sql] of Object.entries(QUERIES)) {
          const query = planQuery(table, sql);
          await write(`${name}-${seed}`, query.columns, () => query.run());
        }
      }
      await writeExtremes();
      const script = fileURLToPath(new URL("open_answers.py", import.meta.url));
      agreed = JSON.parse(execFileSync(PYTHON, ["-W", "ignore", script, folder], { encoding: "utf8" }));
    }, 120_000);
    afterAll(() => rmSync(folder, { recursive: true }));

    it("json and shapely", () => expect(agreed.geojson).toBeGreaterThan(3000));
    it.skipIf(!here.pyarrow)("pyarrow, where ZARRSIFT_PYTHON has it", () =>
      expect(agreed.pyarrow).toBeGreaterThan(100_000),
    );
    it.skipIf(!here.polars)("polars, where ZARRSIFT_PYTHON has it", () =>
      expect(agreed.polars).toBeGreaterThan(100_000),
    );
    it.skipIf(!here.pyarrow || !here.duckdb)("DuckDB, where ZARRSIFT_PYTHON has it", () =>
      expect(agreed.duckdb).toBeGreaterThan(60_000),
    );
    it.skipIf(!here.pyarrow || !here.geopandas)("GeoPandas, where ZARRSIFT_PYTHON has it", () => {
      expect(agreed.geopandas).toBeGreaterThan(3000);
      expect(agreed["geopandas geojson"]).toBeGreaterThan(3000);
    });
  },
);
