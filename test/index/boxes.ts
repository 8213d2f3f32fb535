/** A source whose number columns hold the boxes of its shapes, but for a few rows. */
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { makeSource, putColumn, seeded, type TestColumn, utf8 } from "./source.ts";

export const BOX_CHUNK = 500;
const MS = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
export const START = 1_750_000_000_000;

export interface BoxOptions {
  seed?: number;
  /** Names of the four columns. */
  names?: readonly string[];
  type?: "float64" | "float32" | "int16";
  /** Coordinates are multiples of it; 0: anything. */
  step?: number;
  /** Share of rows whose columns hold something else. */
  odd?: number;
}

type Sides = [number, number, number, number];
const { NaN: NULL, POSITIVE_INFINITY: MOST } = Number;

/** Boxes, triangles, points; some empty, some across ±180, some at ±0; and what the four columns hold of each. */
function rowOf(random: () => number, step: number, odd: number): { shape: Uint8Array; sides: Sides } {
  const round = (value: number) => (step === 0 ? value : Math.round(value / step) * step);
  const kind = random();
  const west = kind < 0.03 ? [0, -0][Math.floor(random() * 2)]! : round(random() * 340 - 180);
  const south = kind < 0.03 ? -0 : round(random() * 160 - 80);
  const [east, north] = [west + round(1 + random() * 12), south + round(1 + random() * 6)];
  const sides: Sides = [west, south, east, north];
  // Few are empty: more of these are wrong.
  const wrong = random() < (kind > 0.95 ? 8 * odd : odd);
  if (kind > 0.95) {
    const bottom = random() < 0.5 ? NULL : south;
    return {
      shape: new Uint8Array(0),
      sides: wrong ? [west, bottom, east, north] : [NULL, NULL, NULL, NULL],
    };
  }
  if (kind > 0.85) {
    const point = writeWkb(parseWkt(`POINT(${west} ${south})`));
    return { shape: point, sides: wrong ? [west, south, MOST, south] : [west, south, west, south] };
  }
  const ring =
    kind > 0.5
      ? [west, south, east, south, east, north, west, north]
      : [west, south, east, south, west, north];
  const shape = writeWkb(parseWkt(`POLYGON((${pairs([...ring, west, south])}))`));
  if (wrong && kind < 0.1) return { shape: crossing(sides), sides: [178, south, -177, north] };
  if (wrong && kind < 0.2) return { shape: crossing(sides), sides: [-180, south, 180, north] };
  if (!wrong) return { shape, sides };
  const changed = [...sides] as Sides;
  changed[Math.floor(random() * 4)] = [NULL, MOST, -MOST, 7, -0][Math.floor(random() * 5)]!;
  return { shape, sides: changed };
}

function crossing([, south, , north]: Sides): Uint8Array {
  return writeWkb(
    parseWkt(`POLYGON((${pairs([178, south, 183, south, 183, north, 178, north, 178, south])}))`),
  );
}

const pairs = (numbers: readonly number[]) =>
  numbers
    .map((value, i) => (i % 2 === 0 ? `${value} ` : `${value},`))
    .join("")
    .slice(0, -1);

export function boxColumns(rows: number, options: BoxOptions = {}): Record<string, TestColumn> {
  const {
    seed = 1,
    names = ["xmin", "ymin", "xmax", "ymax"],
    type = "float64",
    step = 0.25,
    odd = 0.01,
  } = options;
  const random = seeded(seed);
  const all = Array.from({ length: rows }, () => rowOf(random, step, odd));
  const numbers = (side: number) => {
    const values = all.map(({ sides }) =>
      type === "int16" && Number.isNaN(sides[side]) ? -999 : sides[side]!,
    );
    if (type === "int16") return Int16Array.from(values);
    return type === "float32" ? Float32Array.from(values) : Float64Array.from(values);
  };
  const attributes = type === "int16" ? { _FillValue: -999 } : {};
  return {
    bbox: {
      type: "bytes",
      attributes: { "ARROW:extension:name": "geoarrow.wkb" },
      values: all.map(({ shape }) => shape),
    },
    date: { type: MS, values: BigInt64Array.from(all, (_, i) => BigInt(START + i * 60_000)) },
    platform: { type: "string", values: all.map((_, i) => utf8(["aqua", "terra", "suomi"][(i * 7) % 3]!)) },
    ...Object.fromEntries(names.map((name, side) => [name, { type, attributes, values: numbers(side) }])),
  };
}

export const boxSource = (rows: number, options?: BoxOptions, chunk = BOX_CHUNK) =>
  makeSource(boxColumns(rows, options), chunk);

/** Makes a source have so many rows, of which those that it had are the first. */
export async function lengthenBoxes(
  store: Awaited<ReturnType<typeof makeSource>>,
  rows: number,
  options?: BoxOptions,
): Promise<void> {
  for (const [name, column] of Object.entries(boxColumns(rows, options)))
    await putColumn(store, name, column, BOX_CHUNK);
}
