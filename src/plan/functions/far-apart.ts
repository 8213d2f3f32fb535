/** ST_DWithin by bounding boxes: what is surely too far away needs no geometry built. */
import { boundingBox } from "../../geometry/geometry.ts";
import { wkbBox } from "../../geometry/wkb-box.ts";
import { type BytesVector, cellAt, type Vector } from "../../table/vector.ts";
import type { BoundExpr } from "../bind/bound.ts";
import { geometryAt } from "../eval/spatial.ts";

type Box = ArrayLike<number>;

/**
 * For arguments of ST_DWithin with a constant geometry on one side and WKB on the other: whether row i is surely
 * farther than the limit. Undefined: boxes do not help.
 */
export function farRows(
  vectors: readonly Vector[],
  args: readonly BoundExpr[],
): ((i: number) => boolean) | undefined {
  const fixed = args[0]!.node === "constant" ? 0 : 1;
  const [known, rows] = [vectors[fixed] as BytesVector, vectors[1 - fixed] as BytesVector];
  const isWkb = rows.type.kind === "geometry" && rows.type.encoding === "wkb";
  if (args[fixed]!.node !== "constant" || !isWkb || rows.length === 0 || known.nulls?.[0]) return undefined;
  const home = boundingBox(geometryAt(known, 0));
  if (!home) return undefined;
  const box = new Float64Array(4);
  return (i) =>
    wkbBox(rows.data, rows.starts[i]!, rows.ends[i]!, box) &&
    farApart(home, box, Number(cellAt(vectors[2]!, i)));
}

/** Whether boxes [west, south, east, north] are more than `limit` degrees apart, whichever way around. */
export function farApart(a: Box, b: Box, limit: number): boolean {
  const height = Math.max(b[1]! - a[3]!, a[1]! - b[3]!, 0);
  const turn = 360 * Math.round((a[0]! + a[2]! - b[0]! - b[2]!) / 720);
  const widths = [turn - 360, turn, turn + 360].map((by) =>
    Math.max(b[0]! + by - a[2]!, a[0]! - b[2]! - by, 0),
  );
  // A hair more than the limit, so that no rounding decides.
  return Math.hypot(height, Math.min(...widths)) > limit + 1e-9 * (1 + Math.abs(limit));
}
