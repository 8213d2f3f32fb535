import { describe, expect, it } from "vitest";
import {
  across,
  dot,
  frameAt,
  groundAngle,
  lonLat,
  type Orbit,
  orbitNumber,
  orbitStart,
  periodMs,
  sunAt,
} from "../../src/demo/orbit.ts";

const orbit: Orbit = {
  altitudeKm: 817,
  inclination: 98.7,
  ascendingNodeTime: 21.5,
  epoch: Date.UTC(2025, 5, 1),
};
const RADIANS = Math.PI / 180;

describe("a sun-synchronous orbit at 817 km", () => {
  it("takes about 101 minutes", () => {
    expect(periodMs(orbit) / 60_000).toBeCloseTo(101.1, 1);
  });

  it("counts orbits from ascending nodes", () => {
    expect(orbitNumber(orbit, orbit.epoch)).toBe(1);
    expect(orbitNumber(orbit, orbitStart(orbit, 100) + 1)).toBe(100);
    expect(orbitNumber(orbit, orbitStart(orbit, 100) - 1)).toBe(99);
  });

  it("crosses the equator northward at its local time, on every day of the year", () => {
    for (const number of [1, 500, 2600, 5000]) {
      const time = orbitStart(orbit, number);
      const [lon, lat] = lonLat(frameAt(orbit, time).nadir);
      expect(lat).toBeCloseTo(0, 6);
      const utcHours = (time / 3_600_000) % 24;
      expect((((utcHours + lon / 15) % 24) + 24) % 24).toBeCloseTo(21.5, 6);
      expect(lonLat(frameAt(orbit, time + 1000).nadir)[1]).toBeGreaterThan(0);
    }
  });

  it("moves its ground track west by a quarter hour of longitude a minute and reaches 81.3° of latitude", () => {
    const lons = [1, 2].map((number) => lonLat(frameAt(orbit, orbitStart(orbit, number)).nadir)[0]);
    expect((((lons[0]! - lons[1]!) % 360) + 360) % 360).toBeCloseTo((periodMs(orbit) / 86_400_000) * 360, 6);
    expect(lonLat(frameAt(orbit, orbit.epoch + periodMs(orbit) / 4).nadir)[1]).toBeCloseTo(81.3, 6);
  });

  it("looks to both sides of its track at right angles", () => {
    for (const minutes of [0, 13, 50, 77]) {
      const time = orbit.epoch + minutes * 60_000;
      const frame = frameAt(orbit, time);
      expect(dot(frame.nadir, frame.right)).toBeCloseTo(0, 12);
      expect(dot(frame.right, frame.right)).toBeCloseTo(1, 12);
      expect(Math.acos(dot(across(frame, -12), frame.nadir)) / RADIANS).toBeCloseTo(12, 9);
    }
    // Northbound over the equator, right is east.
    const [left, right] = [-5, 5].map((angle) => lonLat(across(frameAt(orbit, orbit.epoch), angle))[0]);
    expect(right!).toBeGreaterThan(left!);
  });

  it("sees 1420 km to each side at a scan angle of 55.4°", () => {
    expect(groundAngle(orbit, 55.4) * RADIANS * 6371).toBeGreaterThan(1350);
    expect(groundAngle(orbit, 55.4) * RADIANS * 6371).toBeLessThan(1500);
    expect(groundAngle(orbit, -10)).toBe(-groundAngle(orbit, 10));
  });
});

describe("sunAt", () => {
  it("stands over the tropics at the solstices and over Greenwich at noon", () => {
    const [lon, lat] = lonLat(sunAt(Date.UTC(2025, 5, 21, 12)));
    expect(lon).toBeCloseTo(0, 6);
    expect(lat).toBeCloseTo(23.44, 1);
    expect(lonLat(sunAt(Date.UTC(2025, 11, 21, 18)))[0]).toBeCloseTo(-90, 6);
    expect(lonLat(sunAt(Date.UTC(2025, 11, 21, 18)))[1]).toBeCloseTo(-23.44, 1);
  });
});
