import { describe, expect, it } from "vitest";
import { ERROR_STATUS } from "../../src/errors.ts";
import { filesBelow, textOf } from "./sources.ts";

describe("public names", () => {
  it("of src/index.ts change only on purpose", async () => {
    const names = Object.keys(await import("../../src/index.ts")).sort();
    expect(names).toEqual([
      "COPY_TEMPORARY",
      "Collection",
      "ERROR_STATUS",
      "MemoryStore",
      "View",
      "ZarrsiftError",
      "buildIndexes",
      "cellAt",
      "checkIndexes",
      "copyIcechunk",
      "copyZarr",
      "dropIndexes",
      "isZarrsiftError",
      "kerchunkJson",
      "open",
      "openCollection",
      "openSource",
      "openWritable",
      "textCell",
      "typeName",
      "writeKerchunkParquet",
    ]);
  });
});

describe("error codes", () => {
  const pages = filesBelow(".").filter((path) => path === "README.md" || /^docs\/.*\.md$/.test(path));
  // A table row that opens with a code and a status: | `gone` | 410 | … |
  const rows = pages.flatMap((path) => [...textOf(path).matchAll(/^\|\s*`([a-z_]+)`\s*\|\s*(\d{3})\s*\|/gm)]);
  const documented = Object.fromEntries(rows.map((row) => [row[1], Number(row[2])]));

  it.skipIf(rows.length === 0)("of the pages and of src/errors.ts agree", () => {
    expect(documented).toEqual(ERROR_STATUS);
  });

  it("have statuses that Zarr clients do not take for missing chunks", () => {
    const absent = Object.entries(ERROR_STATUS).filter(([, status]) => status === 404);
    expect(absent.map(([code]) => code)).toEqual(["not_found"]);
  });
});
