/** A view of a view of a view, in every layout, from granules of one length and of several, through both faces. */
import { describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { cellAt, openCollection, type View, type ViewOptions } from "../../src/index.ts";
import { tinyCollection } from "./tiny.ts";

const LAYOUTS: Record<string, ViewOptions> = {
  granules: { layout: "granules" },
  stacked: { layout: "stacked" },
  stacks: { layout: "stacked", groupBy: "encoding" },
  concatenated: { layout: "concatenated" },
};
const names = Object.keys(LAYOUTS);
const chains = names.flatMap((a) => names.flatMap((b) => names.map((c): string[] => [a, b, c])));

const EQUAL = Array.from({ length: 7 }, () => 2);
const RAGGED = [2, 3, 2, 1, 3, 2, 5];
/** Rows kept of each view, by their place in it. */
const PICKS = [
  [6, 0, 4, 2, 1, 5],
  [3, 0, 5, 1, 2],
  [1, 4, 0],
];

/** What `tinyCollection` puts in granule `row`. */
const cells = (row: number, lines: number) => Array.from({ length: 3 * lines }, (_, i) => row * 100 + i);

async function numbers(view: View, path: string, face: 2 | 3): Promise<number[]> {
  const array = await zarr.open(zarr.root(view.store(face)).resolve(path), { kind: "array" });
  return Array.from((await zarr.get(array)).data as Iterable<number>, Number);
}

async function column(view: View, name: string): Promise<unknown[]> {
  const { table } = await openCollection(view.asStore(3));
  const values = await table.columns.get(name)!.read(0);
  return Array.from({ length: view.count }, (_, i) => cellAt(values, i));
}

/** Each granule's values, in view order. */
async function granulesOf(view: View, layout: string, array: string, lines: number[], face: 2 | 3) {
  if (layout === "granules") {
    const paths = await column(view, "array_location");
    return Promise.all(paths.map((path) => numbers(view, `${path}/${array}`, face)));
  }
  if (layout === "stacks") return inStacks(view, array, face);
  const all = await numbers(view, `/${array}`, face);
  const ends = lines.map((_, i) => 3 * lines.slice(0, i + 1).reduce((a, b) => a + b));
  return ends.map((end, i) => all.slice(end - 3 * lines[i]!, end));
}

async function inStacks(view: View, array: string, face: 2 | 3): Promise<number[][]> {
  const byIdx = new Map<number, number[]>();
  const stacks = ((await view.face(3).children("")) ?? []).filter((name) => name.startsWith("stack_"));
  for (const stack of stacks) {
    const idx = await numbers(view, `/${stack}idx`, face);
    const all = await numbers(view, `/${stack}${array}`, face);
    const each = all.length / idx.length;
    for (const [i, row] of idx.entries()) byIdx.set(row, all.slice(i * each, (i + 1) * each));
  }
  return (await column(view, "source_idx")).map((row) => byIdx.get(Number(row))!);
}

/** The last view's own fields, and none of those before it. */
async function checkAttributes(view: View, idx: number[], rows: number[], lines: readonly number[]) {
  const paths = await column(view, "array_location");
  for (const [i, row] of rows.entries()) {
    const key = `${String(paths[i])}/low/wind/zarr.json` as `/${string}`;
    const { attributes } = JSON.parse(new TextDecoder().decode(await view.store(3).get(key)));
    expect(attributes).toEqual({ idx: idx[i], note: `lines ${lines[row]}`, x: row / 2 });
    const sst = await view.store(3).get(`${String(paths[i])}/sst/zarr.json` as `/${string}`);
    expect(JSON.parse(new TextDecoder().decode(sst)).attributes).toMatchObject({ units: "K", idx: idx[i] });
  }
}

describe.each([
  ["one length", EQUAL],
  ["several lengths", RAGGED],
] as const)("granules of %s", (_, lines) => {
  test.each(chains)("%s, of that %s, of that %s", async (...chain) => {
    const granules = lines.map((n, i) => ({
      path: `g${i}`,
      lines: n,
      arrays: { sst: { units: "K", note: `own ${i}` }, "low/wind": {} },
    }));
    const columns = { note: lines.map((n) => `lines ${n}`), x: lines.map((_, i) => i / 2) };
    let source = await openCollection(await tinyCollection(granules, columns));
    let rows = lines.map((_, i) => i);
    for (const [step, layout] of chain.entries()) {
      const picked = PICKS[step]!;
      const kept = picked.map((i) => rows[i]!);
      const making = source.view(picked, { ...LAYOUTS[layout], fields: ["note", "x"] });
      const own = kept.map((row) => lines[row]!);
      if (layout === "stacked" && new Set(own).size > 1) {
        await expect(making).rejects.toMatchObject({ code: "layout_unsupported" });
        return;
      }
      const view = await making;
      rows = kept;
      for (const face of [3, 2] as const) {
        const wanted = rows.map((row) => cells(row, lines[row]!));
        expect(await granulesOf(view, layout, "sst", own, face), `${layout} v${face}`).toEqual(wanted);
        expect(await granulesOf(view, layout, "low/wind", own, face)).toEqual(wanted);
      }
      expect(await column(view, "x")).toEqual(rows.map((row) => row / 2));
      if (layout === "granules") await checkAttributes(view, picked, rows, lines);
      source = await openCollection(view.asStore(step % 2 === 0 ? 2 : 3));
      expect(source.rows).toBe(rows.length);
    }
  });
});
