import type { Geometry } from "./geometry.ts";

/** WKT as PostGIS spells it, `POLYGON((0 0,0 10,10 10,0 0))`, each number the shortest that reads back the same. */
export function writeWkt(geometry: Geometry): string {
  const { layout } = geometry;
  const dimensions = layout === "XY" ? "" : ` ${layout.slice(2)} `;
  const body = wktBody(geometry);
  const gap = body === "EMPTY" && dimensions === "" ? " " : "";
  return geometry.type.toUpperCase() + dimensions + gap + body;
}

function wktBody(geometry: Geometry): string {
  const stride = geometry.layout.length;
  if (geometry.type === "Polygon") return listed(geometry.rings.map((ring) => runText(ring, stride)));
  if (geometry.type === "GeometryCollection") return listed(geometry.parts.map(writeWkt));
  if ("parts" in geometry) return listed(geometry.parts.map(wktBody));
  return runText(geometry.coordinates, stride);
}

function listed(items: string[]): string {
  return items.length === 0 ? "EMPTY" : `(${items.join(",")})`;
}

function runText(run: Float64Array, stride: number): string {
  const points: string[] = [];
  for (let i = 0; i < run.length; i += stride) points.push(run.subarray(i, i + stride).join(" "));
  return listed(points);
}
