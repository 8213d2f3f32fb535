/** What the examples should find, from the simulation itself: no Zarr, no SQL, no index. */
import { type Granule, makeArchive } from "../../src/demo/archive.ts";
import { SST_FILL } from "../../src/demo/fields.ts";
import type { Ring } from "../../src/demo/footprint.ts";

export type Box = readonly [west: number, south: number, east: number, north: number];

/** The demo's granules, in the order of their rows. */
export const granules: readonly Granule[] = makeArchive(300, 2);

/** In percent, as `meta` has it. */
export function cloudCover({ fields }: Granule): number {
  return Math.fround(Math.round(1000 * fields.cloudCover) / 10);
}

/** `2025-06-05T02:32:56.000Z`: with the digits that a column of milliseconds has. */
export function dateOf({ start }: Granule): string {
  return new Date(start).toISOString();
}

export function locationOf({ platform, id }: Granule): string {
  return `/${platform.collection}/${id}`;
}

/** Temperatures in °C of the cells that pass. */
export function temperatures(granule: Granule, passes: (cell: number) => boolean = () => true): number[] {
  const { sst } = granule.fields;
  return Array.from(sst, (packed, k) =>
    packed !== SST_FILL && passes(k) ? packed / 100 : Number.NaN,
  ).filter((value) => !Number.isNaN(value));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Whether longitude and latitude lie in a box; west > east crosses the antimeridian. */
export function inBox([west, south, east, north]: Box, lon: number, lat: number): boolean {
  const width = (((east - west) % 360) + 360) % 360;
  return lat >= south && lat <= north && (((lon - west) % 360) + 360) % 360 <= width;
}

/** Whether a granule's outline meets a box, by walking along its edges in steps of a tenth of a degree or so. */
export function meets({ footprint }: Granule, box: Box): boolean {
  const corners = [0, 2].flatMap((i) => [1, 3].map((j): [number, number] => [box[i]!, box[j]!]));
  return footprint.some(
    (ring) =>
      edgePoints(ring).some(([lon, lat]) => inBox(box, lon, lat)) ||
      corners.some(([lon, lat]) => [-360, 0, 360].some((turn) => inRing(ring, lon + turn, lat))),
  );
}

function edgePoints(ring: Ring): Ring {
  return ring.flatMap(([x, y], k): Ring => {
    const [x2, y2] = ring[(k + 1) % ring.length]!;
    const steps = Math.ceil(Math.max(Math.abs(x2 - x), Math.abs(y2 - y)) * 10) || 1;
    return Array.from({ length: steps }, (_, s) => [x + ((x2 - x) * s) / steps, y + ((y2 - y) * s) / steps]);
  });
}

function inRing(ring: Ring, lon: number, lat: number): boolean {
  let inside = false;
  ring.forEach(([x1, y1], k) => {
    const [x2, y2] = ring.at(k - 1)!;
    if (y1 > lat !== y2 > lat && lon < x1 + ((x2 - x1) * (lat - y1)) / (y2 - y1)) inside = !inside;
  });
  return inside;
}
