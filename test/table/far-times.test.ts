/** Times that 64 bits cannot hold: netCDF's 9.97e36 where nothing was written, and nobody says so. */
import { describe, expect, it } from "vitest";
import { openCollection } from "../../src/collection.ts";
import { buildIndexes } from "../../src/index/build/build.ts";
import { makeSource, type TestColumn } from "../index/source.ts";

const FAR = 9.969209968386869e36;
const days = { units: "days since 1990-01-01" };
const datetime = (unit: string) => ({
  name: "numpy.datetime64",
  configuration: { unit, scale_factor: 1 },
});

async function read(column: TestColumn) {
  const collection = await openCollection(await makeSource({ time: column }, 2));
  const { batches } = await collection.query("SELECT time FROM meta");
  for await (const _ of batches());
}

describe("a time beyond 64 bits", () => {
  it.each<[string, TestColumn]>([
    ["doubles", { type: "float64", values: Float64Array.of(1, FAR, 2.5), attributes: days }],
    ["int64", { type: "int64", values: BigInt64Array.of(2n ** 62n, 1n), attributes: days }],
    [
      "uint64",
      {
        type: "uint64",
        values: BigUint64Array.of(2n ** 64n - 1n, 1n),
        attributes: { units: "seconds since 1970-01-01" },
      },
    ],
    ["numpy's days", { type: datetime("D"), values: BigInt64Array.of(2n ** 62n, 1n) }],
  ])("is an error that names the column: %s", async (_, column) => {
    await expect(read(column)).rejects.toMatchObject({
      code: "meta_invalid",
      message: expect.stringMatching(/^Column "time" cannot be read: the time \S+ is beyond 64 bits/),
    });
  });

  it("is NULL where _FillValue says so, and NaT stays NULL", async () => {
    const fill = { ...days, _FillValue: FAR };
    await read({ type: "float64", values: Float64Array.of(1, FAR, 2.5), attributes: fill });
    await read({ type: datetime("D"), values: BigInt64Array.of(-(2n ** 63n), 1n) });
  });

  it("leaves the rest of the collection as it is", async () => {
    const store = await makeSource(
      {
        time: { type: "float64", values: Float64Array.of(1, FAR), attributes: days },
        level: { type: "int16", values: Int16Array.of(4, 5) },
      },
      2,
    );
    const collection = await openCollection(store);
    const { extent } = await collection.describe();
    expect(extent).toMatchObject({
      time: null,
      why: expect.stringContaining('Column "time" cannot be read'),
    });
    const reports = await buildIndexes(store, store);
    expect(reports.map(({ column, what }) => [column, what])).toEqual([
      ["level", "built"],
      ["time", "left"],
    ]);
  });
});
