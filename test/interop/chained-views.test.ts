/**
 * A view of a view of a view holds what a view of the source does, whatever the layouts between, for every codec chain
 * and chunk shape that make_stacks.py writes. Views of the source are checked against numpy in stacked-views.test.ts.
 */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Collection, open, openCollection, type View, type ViewOptions } from "../../src/index.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { readWhole } from "../zarr/whole.ts";
import { hasPython, madeBy, pythons } from "./python.ts";

const G: ViewOptions = { layout: "granules" };
const S: ViewOptions = { layout: "stacked" };
const E: ViewOptions = { layout: "stacked", groupBy: "encoding" };
const C: ViewOptions = { layout: "concatenated" };
const ONE_LENGTH = { E_C: [E, C], C_G: [C, G], S_C: [S, C], C_E: [C, E], G_S: [G, S], C_C: [C, C] };
const SEVERAL = { C_G: [C, G], E_E: [E, E], E_G: [E, G], C_C: [C, C], C_E: [C, E] };
const CASES = [
  ...["grouped2", "grouped3", "stacked2", "stacked3"].flatMap((name) =>
    Object.entries(ONE_LENGTH).map(([chain, layouts]) => ({ name, chain, layouts, last: S })),
  ),
  ...["ragged2", "ragged3"].flatMap((name) =>
    Object.entries(SEVERAL).map(([chain, layouts]) => ({ name, chain, layouts, last: C })),
  ),
];

let made = "";

beforeAll(async () => {
  if (hasPython(pythons.oldest)) made = await madeBy("make_stacks.py");
});

/**
 * Every array of the view's granules, by path: its shape, what says what its values mean, and its elements. The granules'
 * own dimension is left out: along others its name is lost.
 */
async function contents(view: View): Promise<Map<string, unknown>> {
  const store = view.asStore(3);
  const hierarchy = await Hierarchy.open(store);
  const found = new Map<string, unknown>();
  const walk = async (path: string): Promise<void> => {
    for (const name of (await hierarchy.children(path))!) {
      const child = path ? `${path}/${name}` : name;
      const node = await hierarchy.node(child);
      if (node?.nodeType === "group" && child !== "meta") await walk(child);
      if (node?.nodeType !== "array" || name === "idx") continue;
      const { items } = await readWhole(store, child, node);
      const { _FillValue, scale_factor, units } = node.attributes;
      const texts = items.map((item) => Buffer.from(item).toString("hex"));
      found.set(child, [
        node.shape,
        node.dimensionNames?.slice(1),
        node.dataType,
        _FillValue,
        scale_factor,
        units,
        texts,
      ]);
    }
  };
  await walk("");
  return found;
}

/** What views of the sources themselves hold: of each source, all chains end at the same rows. */
const ofSources = new Map<string, Promise<Map<string, unknown>>>();

test.for(CASES)("$name through $chain", { timeout: 120_000 }, async ({ name, layouts, last }, { skip }) => {
  skip(!hasPython(pythons.oldest), "needs Python with zarr");
  const source = await open(join(made, `${name}.zarr`), { name });
  let collection: Collection = source;
  let rows = Array.from({ length: 11 }, (_, i) => i);
  for (const [i, layout] of layouts.entries()) {
    const picked = i === 0 ? [9, 0, 5, 4, 10, 2, 3] : [3, 0, 6, 1, 4];
    const view = await collection.view(picked, { ...layout, fields: [] });
    rows = picked.map((row) => rows[row]!);
    collection = await openCollection(view.asStore(3));
  }
  const through = await contents(await collection.view([2, 4, 0, 1], { ...last, fields: [] }));
  const picked = [2, 4, 0, 1].map((row) => rows[row]!);
  const key = `${name} ${picked} ${last.layout}`;
  if (!ofSources.has(key)) {
    ofSources.set(key, source.view(picked, { ...last, fields: [] }).then(contents));
  }
  const direct = await ofSources.get(key)!;
  // What a stacked source has beside its granules is in no granule: only its stacks pass it on.
  const isPassed = (path: string) => through.has(path) || !["along", "crs"].includes(path);
  const wanted = [...direct].filter(([path]) => isPassed(path));
  expect(wanted.length).toBeGreaterThan(10);
  expect(through).toEqual(new Map(wanted));
  await source.close();
});
