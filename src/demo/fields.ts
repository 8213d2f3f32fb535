/** What the instrument measures: sea-surface temperature with its season, and the land, ice and cloud that hide it. */
import { isLand } from "./land.ts";
import { dot, sunAt, type Vector3, yearDay } from "./orbit.ts";
import { randomNumbers, type SphereNoise, sphereNoise } from "./random.ts";
import type { Platform, Swath } from "./swath.ts";

export interface Fields {
  /** Packed: hundredths of a kelvin above 273.15 K, `SST_FILL` where nothing could be retrieved. */
  sst: Int16Array;
  /** GHRSST levels 0 (no data) to 5 (best). */
  quality: Int8Array;
  /** Share of the sea cells under cloud; NaN where there was no sea to look at. */
  cloudCover: number;
  dayNight: "day" | "night" | "both";
}

export interface Weather {
  /** Degrees away from the climatology. */
  anomaly: SphereNoise;
  cloud: SphereNoise;
}

export const SST_FILL = -32768;
export const SST_SCALE = 0.01;
export const SST_OFFSET = 273.15;

/** GHRSST quality levels; 0 is land or ice, 1 is cloud. */
const NO_DATA = 0;
const BAD = 1;
const DAY_MS = 86_400_000;
const RADIANS = Math.PI / 180;
/** Sea water freezes at -1.8 °C; pixels this cold are partly ice already. */
const ICE_BELOW = -1;

/** Weather that a seed decides: eddies of some thousand km, clouds of some hundred. */
export function makeWeather(seed: number): Weather {
  const random = randomNumbers(seed);
  return { anomaly: sphereNoise(random, 0.35), cloud: sphereNoise(random, 0.16, 14) };
}

/** Retrieves a swath, cell by cell. */
export function observe(platform: Platform, swath: Swath, weather: Weather): Fields {
  const cells = swath.points.length;
  const sst = new Int16Array(cells).fill(SST_FILL);
  const quality = new Int8Array(cells);
  const moments = Array.from(swath.times, momentOf);
  let [sea, cloudy, lit] = [0, 0, 0];
  for (let k = 0; k < cells; k++) {
    const moment = moments[Math.floor(k / swath.cells)]!;
    const point = swath.points[k]!;
    if (dot(point, moment.sun) > 0) lit++;
    if (isLand(swath.lon[k]!, swath.lat[k]!)) continue;
    const celsius = seaSurface(point, moment, weather);
    if (celsius < ICE_BELOW) continue;
    sea++;
    quality[k] = level(cloudiness(point, moment, weather), edgeDistance(platform, k % swath.cells));
    if (quality[k] === BAD) cloudy++;
    else sst[k] = Math.round(celsius / SST_SCALE);
  }
  const dayNight = lit === cells ? "day" : lit === 0 ? "night" : "both";
  return { sst, quality, cloudCover: sea === 0 ? Number.NaN : cloudy / sea, dayNight };
}

/** What is the same for all cells of a scan. */
interface Moment {
  /** Since 1970. */
  days: number;
  sun: Vector3;
  /** Latitude where the sea is warmest, radians: furthest north in early September. */
  warmest: number;
}

function momentOf(time: number): Moment {
  const warmest = 5 * RADIANS * Math.cos((2 * Math.PI * (yearDay(time) - 246)) / 365.24);
  return { days: time / DAY_MS, sun: sunAt(time), warmest };
}

/** Climatology by latitude and season, and eddies; °C. */
function seaSurface(point: Vector3, { days, warmest }: Moment, weather: Weather): number {
  const lat = latitude(point) - warmest;
  return 32 * Math.max(0, Math.cos(lat)) ** 2.2 - 3.3 + 1.1 * weather.anomaly(point, days / 20);
}

/** Above 0 is cloud: more of it along the equator and in the storm tracks than in the subtropics. */
function cloudiness(point: Vector3, { days }: Moment, weather: Weather): number {
  return weather.cloud(point, days) - 0.15 + 0.45 * Math.cos(6 * latitude(point));
}

/** Radians. */
function latitude(point: Vector3): number {
  return Math.asin(Math.max(-1, Math.min(1, point[2])));
}

/** Best in the middle of the swath and far from cloud. */
function level(cloud: number, edge: number): number {
  if (cloud > 0) return BAD;
  const best = edge < 0.08 ? 3 : edge < 0.2 ? 4 : 5;
  return Math.max(NO_DATA + 2, cloud > -0.1 ? best - 2 : cloud > -0.25 ? best - 1 : best);
}

/** 0 at the swath's edges, 0.5 in its middle. */
function edgeDistance(platform: Platform, cell: number): number {
  return Math.min(cell + 0.5, platform.cells - cell - 0.5) / platform.cells;
}
