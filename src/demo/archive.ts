/** Which granules the demo's archive holds: a few orbits of two platforms, cut into granules, some cut short. */

import { type Fields, makeWeather, observe } from "./fields.ts";
import { type Footprint, footprint } from "./footprint.ts";
import { orbitNumber, orbitStart, periodMs } from "./orbit.ts";
import { randomNumbers } from "./random.ts";
import { makeSwath, type Platform, type Swath } from "./swath.ts";

export interface Granule {
  id: string;
  platform: Platform;
  /** When the first scan begins, whole seconds in ms since 1970 UTC. */
  start: number;
  end: number;
  orbit: number;
  swath: Swath;
  fields: Fields;
  footprint: Footprint;
}

/** Two made-up satellites: an imager whose wide swath takes in the poles, a radiometer with a narrower one. */
export const PLATFORMS: readonly Platform[] = [
  {
    name: "Kittiwake-A",
    code: "KTWA",
    collection: "KTWA-L2P-SST",
    instrument: "imager",
    orbit: {
      altitudeKm: 817,
      inclination: 98.7,
      ascendingNodeTime: 21.5,
      epoch: Date.UTC(2020, 2, 3, 9, 30),
    },
    cells: 24,
    maxScanAngle: 55.4,
    rowMs: 10_000,
    rowsPerGranule: 60,
    outlines: "split",
  },
  {
    name: "Kittiwake-B",
    code: "KTWB",
    collection: "KTWB-L2P-SST",
    instrument: "radiometer",
    orbit: {
      altitudeKm: 817,
      inclination: 98.7,
      ascendingNodeTime: 13.5,
      epoch: Date.UTC(2022, 10, 8, 4, 15),
    },
    cells: 24,
    maxScanAngle: 45,
    rowMs: 10_000,
    rowsPerGranule: 30,
    outlines: "unsplit",
  },
];

const FIRST_DAY = Date.UTC(2025, 5, 1);
const LAST_DAY = Date.UTC(2025, 8, 1);
/** One granule in this many was cut short by a lost downlink. */
const CUT_SHORT = 12;
const FEWEST_ROWS = 12;

/**
 * The archive's granules by time of their start.
 *
 * @param count how many, shared evenly between the platforms
 * @param seed decides which orbits, which granules are cut short, and the weather
 */
export function makeArchive(count: number, seed: number): Granule[] {
  const random = randomNumbers(seed);
  const weather = makeWeather(seed + 1);
  const shares = PLATFORMS.map((_, k) => Math.floor((count + k) / PLATFORMS.length));
  const granules = PLATFORMS.flatMap((platform, k) =>
    passes(platform, shares[k]!, random).map(({ start, rows }): Granule => {
      const swath = makeSwath(platform, start, rows);
      return {
        id: `${platform.code}_L2P_SST_${compact(start)}`,
        platform,
        start,
        end: start + rows * platform.rowMs,
        orbit: orbitNumber(platform.orbit, start),
        swath,
        fields: observe(platform, swath, weather),
        footprint: footprint(swath.outline, platform.outlines),
      };
    }),
  );
  return granules.sort((a, b) => a.start - b.start);
}

/** Starts and lengths of a platform's granules: whole orbits, spread evenly over the season. */
function passes(platform: Platform, count: number, random: () => number): { start: number; rows: number }[] {
  const { orbit, rowMs, rowsPerGranule } = platform;
  // What is left at the end of an orbit makes a granule of its own if it is long enough.
  const perOrbit = Math.floor((periodMs(orbit) / rowMs + rowsPerGranule - FEWEST_ROWS) / rowsPerGranule);
  const orbits = Math.ceil(count / perOrbit);
  const first = orbitNumber(orbit, FIRST_DAY) + 1;
  const spread = (orbitNumber(orbit, LAST_DAY) - first) / orbits;
  const out: { start: number; rows: number }[] = [];
  for (let k = 0; out.length < count; k++) {
    const number = first + Math.floor((k + random()) * spread);
    const end = orbitStart(orbit, number + 1);
    let start = Math.ceil(orbitStart(orbit, number) / 1000) * 1000;
    while (out.length < count && start + FEWEST_ROWS * rowMs <= end) {
      const whole = Math.min(rowsPerGranule, Math.floor((end - start) / rowMs));
      const lost = random() < 1 / CUT_SHORT ? Math.floor(random() * (whole - FEWEST_ROWS)) : 0;
      out.push({ start, rows: whole - lost });
      start += whole * rowMs;
    }
  }
  return out;
}

/** `20250601T134500Z`. */
function compact(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}
