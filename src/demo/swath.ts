/** What an instrument sees during a granule: the cells of its swath and the outline around them. */
import { across, frameAt, groundAngle, lonLat, type Orbit, type Vector3 } from "./orbit.ts";

export interface Platform {
  name: string;
  /** Short form, for file-like names. */
  code: string;
  collection: string;
  instrument: string;
  orbit: Orbit;
  /** Cells across the track, at equal steps of scan angle. */
  cells: number;
  /** Degrees off nadir of the swath's edges. */
  maxScanAngle: number;
  rowMs: number;
  rowsPerGranule: number;
  /** How this archive draws outlines over the antimeridian: in parts split at ±180, or running on beyond it. */
  outlines: "split" | "unsplit";
}

export interface Swath {
  rows: number;
  cells: number;
  /** Centre of each row's scan, ms since 1970 UTC. */
  times: Float64Array;
  /** Degrees, row by row. */
  lat: Float32Array;
  lon: Float32Array;
  /** Unit vector of each cell, same order. */
  points: Vector3[];
  /** [lon, lat] around the outer edges of the outermost cells, not closed; lon in [-180, 180]. */
  outline: [number, number][];
}

/** Outlines are drawn from points at this many to a row or cell, most of which are left out. */
const FINEST = 4;

/** The swath of `rows` scans from `start` (its first scan begins there). */
export function makeSwath(platform: Platform, start: number, rows: number): Swath {
  const { cells, orbit, rowMs } = platform;
  const angles = Array.from({ length: cells }, (_, j) => cellAngle(platform, j + 0.5));
  const swath: Swath = {
    rows,
    cells,
    times: Float64Array.from({ length: rows }, (_, i) => start + (i + 0.5) * rowMs),
    lat: new Float32Array(rows * cells),
    lon: new Float32Array(rows * cells),
    points: [],
    outline: outlineOf(platform, start, rows),
  };
  for (const time of swath.times) {
    const frame = frameAt(orbit, time);
    for (const angle of angles) {
      const point = across(frame, angle);
      const [lon, lat] = lonLat(point);
      swath.lon[swath.points.length] = lon;
      swath.lat[swath.points.length] = lat;
      swath.points.push(point);
    }
  }
  return swath;
}

/** Ground angle of a position across the swath, in cells from its left edge. */
function cellAngle(platform: Platform, position: number): number {
  return groundAngle(platform.orbit, platform.maxScanAngle * ((2 * position) / platform.cells - 1));
}

/** Up the left edge, across the last scan, down the right edge, back across the first. */
function outlineOf(platform: Platform, start: number, rows: number): [number, number][] {
  const { cells } = platform;
  const at = (row: number, cell: number) =>
    lonLat(across(frameAt(platform.orbit, start + row * platform.rowMs), cellAngle(platform, cell)));
  const sides = [
    side(rows, (k) => at(k, 0)),
    side(cells, (k) => at(rows, k)),
    side(rows, (k) => at(rows - k, cells)),
    side(cells, (k) => at(0, cells - k)),
  ];
  return sides.flat();
}

/** Points from 0 to `length`, that one left out: it begins the next side. */
function side(length: number, at: (position: number) => [number, number]): [number, number][] {
  const points: [number, number][] = [];
  for (let k = 0; k < length * FINEST; k++) {
    const point = at(k / FINEST);
    if (k % (FINEST * outlineStep(point[1])) === 0) points.push(point);
  }
  return points;
}

/** Rows or cells between two points of an outline: fewer towards the poles, where degrees bend most. */
function outlineStep(lat: number): number {
  if (Math.abs(lat) > 85) return 1 / FINEST;
  return Math.abs(lat) > 70 ? 1 : 4;
}
