/** Views in the stacked and concatenated layouts through the running server, read by zarr-python, xarray and zarrita, against their sources. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { DirectoryStore } from "../../src/store/file.ts";
import { readable } from "../../src/view/stores.ts";
import { hasPython, madeBy, pythons, runPython } from "./python.ts";

const RAGGED = ["ragged2", "ragged3"];
const SOURCES = ["grouped2", "grouped3", "stacked2", "stacked3"];
const ROWS = 11;
const all = Array.from({ length: ROWS }, (_, i) => i);

/** Rows of views end to end: one, those that all end where chunks do, any order. */
const ends = [[6], [0, 1, 3, 6], [9, 0, 5, 4, 10]];

/** Rows of the views: one, none, all, a whole chunk of four, whole and half chunks, any order. */
const selections = [[6], [], all, [4, 5, 6, 7], [0, 1, 2, 3, 8, 9, 10], [9, 0, 5, 4, 10]];

/** The rows where each has chunks of its own, so that where they lie in chunks makes no difference. */
const ofGroups = [[6], [], [9, 0, 5, 4, 10]];

/** Views whose arrays xarray reads as well: what it masks and decodes follows from metadata, whatever the rows. */
const isForXarray = ({ length }: number[]) => length <= 1 || length === 5;

const work = mkdtempSync(join(tmpdir(), "zarrsift-stacks-"));
const collections: Collection[] = [];
let made = "";
let app: Awaited<ReturnType<typeof buildApp>>;
let cases: { base: string; source: string; idx: number[]; xarray: boolean }[] = [];

beforeAll(async () => {
  if (!hasPython(pythons.oldest)) return;
  made = await madeBy("make_stacks.py");
  for (const name of [...SOURCES, ...RAGGED])
    collections.push(await open(join(made, `${name}.zarr`), { name }));
  app = await buildApp({ collections });
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  const posted = [
    ...SOURCES.flatMap((name) => {
      const rows = name.startsWith("grouped") ? ofGroups : selections;
      return rows.map((idx) => post(base, name, idx, "stacked"));
    }),
    ...RAGGED.flatMap((name) => ends.map((idx) => post(base, name, idx, "concatenated"))),
  ];
  cases = await Promise.all(posted);
});

afterAll(async () => {
  await app?.close();
  for (const collection of collections) await collection.close();
  rmSync(work, { recursive: true });
});

async function post(base: string, name: string, idx: number[], layout: string) {
  const response = await fetch(`${base}/collections/${name}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ idx, layout }),
  });
  const answer = (await response.json()) as { v3: string; layout: string; detail?: string };
  expect([response.status, answer.layout], answer.detail).toEqual([201, layout]);
  const source = join(made, `${name}.zarr`);
  return { base: answer.v3.replace(/\/v3$/, ""), source, idx, xarray: isForXarray(idx) };
}

describe.each(Object.entries(pythons))("with the %s zarr-python", (which, python) => {
  test.for(SOURCES)("every selection of %s is numpy's own", { timeout: 300_000 }, async (name, { skip }) => {
    skip(!hasPython(python), "needs Python with zarr and xarray");
    const list = join(work, `${name}.json`);
    const own = cases.filter(({ source }) => source.endsWith(`${name}.zarr`));
    writeFileSync(list, JSON.stringify(which === "oldest" ? own : own.slice(-1)));
    type Seen = { arrays: number; cells: number; chunks: number; masked: number };
    const seen = await runPython<Seen>(python, "check_stacked.py", list);
    expect(seen.arrays).toBeGreaterThan(which === "oldest" ? 100 : 50);
    expect(seen.chunks).toBeGreaterThan(which === "oldest" ? 150 : 50);
    expect(seen.masked).toBeGreaterThan(0);
  });

  test.for(RAGGED)(
    "granules of %s end to end are numpy's own",
    { timeout: 300_000 },
    async (name, { skip }) => {
      skip(!hasPython(python), "needs Python with zarr and xarray");
      const list = join(work, `${name}.json`);
      const own = cases.filter(({ source }) => source.endsWith(`${name}.zarr`));
      writeFileSync(list, JSON.stringify(which === "oldest" ? own : own.slice(-1)));
      type Seen = { arrays: number; chunks: number };
      const seen = await runPython<Seen>(python, "check_concatenated.py", list);
      expect(seen.arrays).toBeGreaterThan(which === "oldest" ? 100 : 50);
      expect(seen.chunks).toBeGreaterThan(which === "oldest" ? 300 : 100);
    },
  );
});

/** Arrays that zarrita reads, by what is in their names. */
const numbers = {
  stacked2: [
    "zstd_1",
    "zstd_4",
    "none_3",
    "zlib_11",
    "blosc_3",
    "fortran_3",
    "big_4",
    "per_row",
    "inner/deep",
  ],
  stacked3: ["zstd_4", "none_1", "gzip_4", "blosc_11", "big_3", "shards_1", "shards_2", "whole_1", "turned"],
};

test.for(Object.entries(numbers))("zarrita reads the rows of %s", async ([name, arrays], { skip }) => {
  skip(!hasPython(pythons.oldest), "needs Python with zarr");
  const collection = collections.find((each) => each.name === name)!;
  const source = zarr.root(readable(new DirectoryStore(join(made, `${name}.zarr`))));
  for (const idx of selections.filter(({ length }) => length > 0)) {
    const view = await collection.view(idx, { layout: "stacked" });
    for (const [face, array] of ([2, 3] as const).flatMap((each) => arrays.map((a) => [each, a] as const))) {
      const whole = await numbersOf(source, array);
      const width = whole.length / ROWS;
      const wanted = idx.flatMap((row) => whole.slice(row * width, (row + 1) * width));
      expect(await numbersOf(zarr.root(view.store(face)), array), `v${face} ${array} [${idx}]`).toEqual(
        wanted,
      );
    }
  }
});

/** The elements in C order. */
async function numbersOf(root: zarr.Location<zarr.Readable>, path: string): Promise<number[]> {
  const { data, shape, stride } = await zarr.get(await zarr.open(root.resolve(path), { kind: "array" }));
  const values = Array.from(data as Iterable<unknown>, Number);
  const count = shape.reduce((product, n) => product * n, 1);
  return Array.from({ length: count }, (_, position) => {
    let [at, rest] = [0, position];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * stride[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return values[at]!;
  });
}
