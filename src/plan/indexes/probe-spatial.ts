/** Spatial predicates as questions to R-trees. */
import { queryBoxes } from "../../geometry/longitude.ts";
import type { Predicate } from "../../geometry/predicates.ts";
import { type Prepared, prepare } from "../../geometry/prepare.ts";
import { parseWkb } from "../../geometry/wkb-read.ts";
import type { BoxTest, Index, SpatialMatches } from "../../index/api.ts";
import type { BoundExpr } from "../bind/bound.ts";
import { converse } from "../eval/spatial.ts";
import type { Found, Probe } from "./api.ts";

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
  const test = boxTest(prepare(geometry), turned ? converse(predicate) : predicate);
  return {
    indexes: [index],
    run: false,
    within: false,
    estimate: (options) => index.estimate(boxes, { ...options, test }),
    find: async (options) => decided(await index.find(boxes, { ...options, test })),
  };
}

/** What the box of a shape, and a box around several shapes, say about a predicate. */
function boxTest(prepared: Prepared, predicate: Predicate): BoxTest {
  const inside = predicate === "intersects" || predicate === "within" || predicate === "coveredBy";
  return {
    within(box) {
      if (prepared.testBox("intersects", box, true) === false) return false;
      return inside && prepared.testBox(predicate, box, false) === true ? true : undefined;
    },
    shape: (box, isBox) => prepared.testBox(predicate, box, isBox),
    touching: predicate === "intersects" && prepared.isRectangle,
  };
}

const decided = ({ rows, sure }: SpatialMatches): Found =>
  sure.length === rows.length ? { rows } : { rows, sure };
