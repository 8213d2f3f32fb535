import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { arrowStream } from "../../src/format/arrow.ts";
import type { RowBatch, RowColumn } from "../../src/format/rows.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { vectorOf } from "../../src/plan/eval/vectors.ts";
import { BYTES, INT64, type SqlType, STRING } from "../../src/table/types.ts";
import { type CellValue, gather, type NumberArray, type Vector } from "../../src/table/vector.ts";

const WKB: SqlType = { kind: "geometry", encoding: "wkb" };
const WKT: SqlType = { kind: "geometry", encoding: "wkt" };

async function* each(...batches: Vector[][]): AsyncGenerator<RowBatch> {
  for (const vectors of batches) yield { length: vectors[0]!.length, vectors };
}

async function stream(columns: RowColumn[], batches: AsyncIterable<RowBatch>, limits = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of arrowStream(columns, batches, limits)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** One column there and back. */
async function roundTrip(type: SqlType, vector: Vector): Promise<unknown[]> {
  const table = tableFromIPC(await stream([{ name: "x", type }], each([vector])));
  return [...table.getChild("x")!];
}

const END = Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]);

describe("an Arrow stream", () => {
  it("of nothing has a schema and an end", async () => {
    const columns = [
      { name: "n", type: INT64 },
      { name: "g", type: WKB },
    ];
    const bytes = await stream(columns, each());
    const { schema, numRows } = tableFromIPC(bytes);
    expect([schema.fields.map(String), numRows]).toEqual([["n: Int64", "g: Binary"], 0]);
    expect(Object.fromEntries(schema.fields[1]!.metadata)).toEqual({
      "ARROW:extension:name": "geoarrow.wkb",
      "ARROW:extension:metadata": '{"crs":"OGC:CRS84","crs_type":"authority_code"}',
    });
    expect(bytes.subarray(-8)).toEqual(END);
  });

  it("has a record batch a batch, each ready before the next is read", async () => {
    let read = 0;
    async function* batches() {
      for (; read < 5; read++) yield* each([vectorOf(INT64, [BigInt(read), null, 2n ** 63n - 1n])]);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of arrowStream([{ name: "n", type: INT64 }], batches())) {
      pieces.push(piece);
      if (read < 5) expect(tableFromIPC(Buffer.concat(pieces)).numRows).toBe(3 * (read + 1));
    }
    const table = tableFromIPC(Buffer.concat(pieces));
    expect(table.batches.length).toBe(5);
    expect([...table.getChild("n")!]).toEqual(
      [0n, 1n, 2n, 3n, 4n].flatMap((n) => [n, null, 9223372036854775807n]),
    );
  });

  it("splits what is long, by rows and by bytes", async () => {
    const many = vectorOf(
      INT64,
      Array.from({ length: 150_000 }, (_, i) => BigInt(i)),
    );
    const rows = tableFromIPC(await stream([{ name: "n", type: INT64 }], each([many])));
    expect(rows.batches.map((batch) => batch.numRows)).toEqual([65_536, 65_536, 18_928]);
    expect(rows.getChild("n")!.get(149_999)).toBe(149_999n);

    const one = vectorOf(BYTES, [
      new Uint8Array(6 * 2 ** 20).fill(7),
      null,
      new Uint8Array(17 * 2 ** 20).fill(8),
    ]);
    const heavy = gather(one, Uint32Array.of(0, 0, 1, 0, 2, 2, 0));
    const table = tableFromIPC(await stream([{ name: "b", type: BYTES }], each([heavy])));
    expect(table.batches.map((batch) => batch.numRows)).toEqual([3, 1, 1, 1, 1]);
    const sizes = [...table.getChild("b")!].map((value) => (value as Uint8Array | null)?.length ?? null);
    expect(sizes.map((size) => size && size / 2 ** 20)).toEqual([6, 6, null, 6, 17, 17, 6]);
  });

  it("past the limit is an error before the first byte", async () => {
    const limited = stream([{ name: "n", type: INT64 }], each([vectorOf(INT64, [1n, 2n])]), { maxRows: 1 });
    await expect(limited).rejects.toMatchObject({ code: "too_large" });
  });

  it("has no end where reading fails", async () => {
    async function* failing() {
      yield* each([vectorOf(INT64, [1n])]);
      throw new Error("late");
    }
    const pieces: Uint8Array[] = [];
    const read = async () => {
      for await (const piece of arrowStream([{ name: "n", type: INT64 }], failing())) pieces.push(piece);
    };
    await expect(read()).rejects.toThrow("late");
    const bytes = Buffer.concat(pieces);
    expect([bytes.length > 0, bytes.subarray(-8).equals(END)]).toEqual([true, false]);
  });
});

describe("values", () => {
  it.each<[string, SqlType, CellValue[]]>([
    ["strings", STRING, ["b", null, "", "😀", "b"]],
    ["bytes", BYTES, [Uint8Array.of(1, 2), null, new Uint8Array(), Uint8Array.of(3)]],
    ["WKB", WKB, [writeWkb(parseWkt("POINT(1 2)")), null]],
  ])("%s lie in any order", async (_, type, cells) => {
    const order = Uint32Array.from(cells, (_, i) => cells.length - 1 - i);
    const vector = vectorOf(type, cells);
    expect(await roundTrip(type, vector)).toEqual(cells);
    expect(await roundTrip(type, gather(vector, order))).toEqual([...cells].reverse());
  });

  it("that are not UTF-8 get replacement characters", async () => {
    const broken = {
      ...vectorOf(BYTES, [Uint8Array.of(0x61, 0xff), Uint8Array.of(0xc3), Uint8Array.of(0xa9)]),
      type: STRING,
    };
    expect(await roundTrip(STRING, broken)).toEqual(["a\ufffd", "\ufffd", "\ufffd"]);
  });

  it("that are NaN are NULL, NULL beside them", async () => {
    const type: SqlType = { kind: "float", bits: 32 };
    const vector = vectorOf(type, [Number.NaN, null, 1.5, Number.NEGATIVE_INFINITY]);
    expect(await roundTrip(type, vector)).toEqual([null, null, 1.5, Number.NEGATIVE_INFINITY]);
  });

  it("are as wide as their type, whatever array holds them", async () => {
    const held = (type: SqlType, values: NumberArray): Vector => ({
      kind: "number",
      type,
      length: values.length,
      values,
      nulls: undefined,
    });
    expect(await roundTrip(INT64, held(INT64, Int32Array.of(-1, 5)))).toEqual([-1n, 5n]);
    const int8: SqlType = { kind: "int", bits: 8, signed: true };
    expect(await roundTrip(int8, held(int8, Float64Array.of(-128, 127)))).toEqual([-128, 127]);
    const float: SqlType = { kind: "float", bits: 32 };
    expect(await roundTrip(float, held(float, Float64Array.of(0.5, -2)))).toEqual([0.5, -2]);
  });

  it("of WKT become WKB, without PostGIS's SRID", async () => {
    const texts = ["SRID=4326;POINT(1 2)", null, "POINT Z (1 2 3)", "POLYGON EMPTY"];
    const wkb = texts.map((text) => text && writeWkb(parseWkt(text)));
    expect(await roundTrip(WKT, vectorOf(WKT, texts))).toEqual(wkb);
  });

  it("of broken WKT are an error", async () => {
    const vector = vectorOf(WKT, ["POINT(1"]);
    await expect(roundTrip(WKT, vector)).rejects.toMatchObject({ code: "bad_geometry" });
  });

  it("of broken WKB are an error", async () => {
    const vector = vectorOf(WKB, [Uint8Array.of(1, 2, 3)]);
    await expect(roundTrip(WKB, vector)).rejects.toMatchObject({ code: "bad_geometry" });
  });
});
