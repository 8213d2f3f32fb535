/** Strings kept by kind come back as they were. */
import { describe, expect, it } from "vitest";
import { codedOf, expanded } from "../../src/table/coded.ts";
import { type BytesVector, cellAt, gather, packBytes, slice } from "../../src/table/vector.ts";
import { random } from "../geometry/random.ts";

const utf8 = new TextEncoder();

function texts(values: readonly (string | null)[]): BytesVector {
  const nulls = values.includes(null) ? Uint8Array.from(values, (v) => (v === null ? 1 : 0)) : undefined;
  const parts = values.map((value) => utf8.encode(value ?? ""));
  return { kind: "bytes", type: { kind: "string" }, length: values.length, ...packBytes(parts), nulls };
}

const cells = (vector: BytesVector) => Array.from({ length: vector.length }, (_, i) => cellAt(vector, i));

describe("strings by kind", () => {
  it.each([1, 2, 3])("are the strings they were made of (seed %i)", (seed) => {
    const next = random(seed);
    // Alike in length, first, middle and last byte, too: kinds are told apart by all their bytes.
    const kinds = ["", "a", "aa", "abcde", "axcye", "abcye", "é", "modis", "viirs", null];
    const values = Array.from({ length: 3000 }, () => kinds[next(kinds.length)]!);
    const coded = codedOf(texts(values))!;
    expect(coded.kinds.length).toBeLessThanOrEqual(kinds.length);
    const back = expanded(coded);
    expect(cells(back)).toEqual(values);
    const rows = Uint32Array.from({ length: 500 }, () => next(3000));
    const some = gather(back, rows) as BytesVector;
    expect(cells(some)).toEqual(Array.from(rows, (row) => values[row]));
    const byKind = (vector: BytesVector) =>
      cells({
        ...gather(vector.coded!.kinds, Uint32Array.from(vector.coded!.codes)),
        nulls: vector.nulls,
      } as BytesVector);
    expect(byKind(some)).toEqual(cells(some));
    expect(byKind(slice(back, 100, 200) as BytesVector)).toEqual(values.slice(100, 200));
  });

  it("are not made of strings that hardly repeat", () => {
    expect(codedOf(texts(Array.from({ length: 256 }, (_, i) => `granule ${i}`)))).toBeUndefined();
    expect(codedOf(texts(Array.from({ length: 5000 }, (_, i) => `granule ${i % 100}`)))).toBeUndefined();
    expect(codedOf(texts(Array.from({ length: 255 }, (_, i) => `granule ${i}`)))?.kinds.length).toBe(255);
  });
});
