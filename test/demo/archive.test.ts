import { describe, expect, it } from "vitest";
import { type Granule, makeArchive } from "../../src/demo/archive.ts";
import { SST_FILL } from "../../src/demo/fields.ts";
import type { Ring } from "../../src/demo/footprint.ts";
import { isLand } from "../../src/demo/land.ts";

const granules = makeArchive(300, 2);

/** Even-odd rule; points on the edge may fall either way. */
function inRing(ring: Ring, lon: number, lat: number): boolean {
  let inside = false;
  ring.forEach(([x1, y1], k) => {
    const [x2, y2] = ring.at(k - 1)!;
    if (y1 > lat !== y2 > lat && lon < x1 + ((x2 - x1) * (lat - y1)) / (y2 - y1)) inside = !inside;
  });
  return inside;
}

function covers({ footprint }: Granule, lon: number, lat: number): boolean {
  return footprint.some((ring) => [-360, 0, 360].some((turn) => inRing(ring, lon + turn, lat)));
}

const lonsOf = ({ footprint }: Granule) => footprint.flat().map(([lon]) => lon);
const latsOf = ({ footprint }: Granule) => footprint.flat().map(([, lat]) => lat);
const reachesPole = (granule: Granule) => latsOf(granule).some((lat) => Math.abs(lat) === 90);

describe("the demo's archive", () => {
  it("has granules of both satellites in order of time, within the season", () => {
    expect(granules).toHaveLength(300);
    const counts = ["Kittiwake-A", "Kittiwake-B"].map(
      (name) => granules.filter((g) => g.platform.name === name).length,
    );
    expect(counts).toEqual([150, 150]);
    const starts = granules.map(({ start }) => start);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts[0]).toBeGreaterThan(Date.UTC(2025, 5, 1));
    expect(starts.at(-1)).toBeLessThan(Date.UTC(2025, 8, 1));
    expect(new Set(granules.map(({ id }) => id)).size).toBe(300);
  });

  it("has ragged lengths", () => {
    const lengths = new Set(granules.map(({ swath }) => swath.rows));
    expect(lengths.size).toBeGreaterThan(10);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...lengths)).toBe(60);
  });

  it("has outlines around all their own cells", () => {
    const outside = granules.filter((granule) => {
      const { lon, lat } = granule.swath;
      return [...lon].some((x, k) => !covers(granule, x, lat[k]!));
    });
    expect(outside.map(({ id }) => id)).toEqual([]);
  });

  it("has outlines that cross the antimeridian, drawn both ways, and outlines around the poles", () => {
    const split = granules.filter(({ footprint }) => footprint.length > 1);
    const beyond = granules.filter((granule) => lonsOf(granule).some((lon) => Math.abs(lon) > 180));
    const polar = granules.filter(reachesPole);
    expect(split.length).toBeGreaterThan(5);
    expect(beyond.length).toBeGreaterThan(5);
    expect(polar.length).toBeGreaterThan(5);
    expect(new Set(split.map(({ platform }) => platform.code))).toEqual(new Set(["KTWA"]));
    expect(new Set(beyond.map(({ platform }) => platform.code))).toEqual(new Set(["KTWB"]));
    expect(new Set(polar.map((g) => Math.sign(latsOf(g)[0]!)))).toEqual(new Set([1, -1]));
  });

  it("has outlines around the pole where, and only where, a cell lies that near to it", () => {
    for (const granule of granules) {
      const nearest = Math.max(...granule.swath.lat.map(Math.abs));
      if (reachesPole(granule)) expect(nearest).toBeGreaterThan(87);
      else expect(nearest).toBeLessThan(90);
    }
  });

  it("has believable temperatures: warm in the tropics, cold by the ice, none on land", () => {
    const bands = new Map<number, number[]>();
    let onLand = 0;
    for (const { swath, fields } of granules) {
      fields.sst.forEach((packed, k) => {
        const [lon, lat] = [swath.lon[k]!, swath.lat[k]!];
        if (packed === SST_FILL) return;
        const band = Math.round(Math.abs(lat) / 30) * 30;
        if (!bands.has(band)) bands.set(band, []);
        bands.get(band)!.push(packed / 100);
        if (isLand(lon, lat)) onLand++;
      });
    }
    const mean = (band: number) => bands.get(band)!.reduce((a, b) => a + b) / bands.get(band)!.length;
    expect(onLand).toBe(0);
    expect(mean(0)).toBeGreaterThan(26);
    expect(mean(30)).toBeGreaterThan(15);
    expect(mean(30)).toBeLessThan(24);
    expect(mean(60)).toBeLessThan(10);
  });

  it("has no cloud cover exactly where it saw no sea", () => {
    for (const { fields } of granules) {
      expect(Number.isNaN(fields.cloudCover)).toBe(fields.quality.every((level) => level === 0));
      expect(fields.sst.some((packed, k) => (packed === SST_FILL) !== fields.quality[k]! < 2)).toBe(false);
    }
    expect(granules.filter(({ fields }) => Number.isNaN(fields.cloudCover)).length).toBeGreaterThan(3);
  });

  it("is the same for the same seed and another for another", () => {
    const [again, other] = [makeArchive(12, 42), makeArchive(12, 43)];
    expect(makeArchive(12, 42)).toEqual(again);
    expect(other.map(({ id }) => id)).not.toEqual(again.map(({ id }) => id));
  });
});

describe("isLand", () => {
  it.each([
    ["Paris", 2.3, 48.9, true],
    ["Nairobi", 36.8, -1.3, true],
    ["Kansas", -98, 38, true],
    ["Amazonas", -60, -4, true],
    ["Alice Springs", 134, -24, true],
    ["South Pole", 0, -89.9, true],
    ["mid-Atlantic", -35, 10, false],
    ["Gulf of Guinea", 3, 2, false],
    ["mid-Pacific", -150, 0, false],
    ["Tasman Sea", 160, -37, false],
    ["date line", 180, 10, false],
    ["North Pole", 0, 90, false],
  ])("knows %s", (_, lon, lat, land) => {
    expect(isLand(lon as number, lat as number)).toBe(land);
  });
});
