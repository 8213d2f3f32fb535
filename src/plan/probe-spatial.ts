/** Spatial predicates as questions to R-trees. */
import { queryBoxes } from "../geometry/longitude.ts";
import { prepare } from "../geometry/prepare.ts";
import { parseWkb } from "../geometry/wkb-read.ts";
import type { Index, SpatialIndex } from "../index/api.ts";
import type { BoundExpr } from "./bound.ts";
import type { Found, Probe } from "./probe.ts";
import { converse } from "./spatial.ts";

/** All predicates but disjoint need the boxes to touch; equality of two empty shapes is left to the scan. */
export function spatialProbe(
  { predicate, left, right }: Extract<BoundExpr, { node: "spatial" }>,
  indexes: readonly Index[],
): Probe | undefined {
  const turned = left.node === "constant";
  const [column, fixed] = turned ? [right, left] : [left, right];
  if (predicate === "disjoint" || column.node !== "column" || fixed.node !== "constant") return undefined;
  const index = indexes.find((one) => one.column === column.name && one.kind === "rtree");
  if (index?.kind !== "rtree" || fixed.value === null) return undefined;
  const geometry = parseWkb(fixed.value as Uint8Array);
  const boxes = queryBoxes(geometry);
  if (boxes.length === 0) return undefined;
  const prepared = prepare(geometry);
  const asked = turned ? converse(predicate) : predicate;
  return {
    indexes: [index],
    run: false,
    within: false,
    estimate: (options) => index.estimate(boxes, options),
    find: async (options) =>
      decided(await index.find(boxes, options), (box, isBox) => prepared.testBox(asked, box, isBox)),
  };
}

type Matches = Awaited<ReturnType<SpatialIndex["find"]>>;

/** What boxes alone decide: rows that they exclude are gone. */
function decided(
  { rows, boxes, isBox }: Matches,
  test: (box: Float64Array, isBox: boolean) => boolean | undefined,
): Found {
  const [kept, sure] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  let [keptCount, sureCount] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const holds = test(boxes.subarray(4 * i, 4 * i + 4), isBox[i] === 1);
    if (holds === false) continue;
    kept[keptCount++] = rows[i]!;
    if (holds) sure[sureCount++] = rows[i]!;
  }
  if (keptCount === sureCount) return { rows: kept.slice(0, keptCount) };
  return { rows: kept.slice(0, keptCount), sure: sure.slice(0, sureCount) };
}
