import type { Vector3 } from "./orbit.ts";

/** Numbers in [0, 1), always the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A smooth field over the sphere that drifts with time: about 0 on average, of standard deviation 1. */
export type SphereNoise = (point: Vector3, days: number) => number;

/**
 * A sum of plane waves through the sphere: no seam at the antimeridian and none at the poles.
 *
 * @param wavelength the shortest, in Earth radii; waves up to three times as long are mixed in
 */
export function sphereNoise(random: () => number, wavelength: number, waves = 10): SphereNoise {
  const parts = Array.from({ length: waves }, () => {
    const k = (2 * Math.PI) / (wavelength * (1 + 2 * random()));
    const z = 2 * random() - 1;
    const azimuth = 2 * Math.PI * random();
    const flat = Math.sqrt(1 - z * z);
    return {
      x: k * flat * Math.cos(azimuth),
      y: k * flat * Math.sin(azimuth),
      z: k * z,
      phase: 2 * Math.PI * random(),
      drift: 0.6 * random(),
    };
  });
  const scale = Math.sqrt(2 / waves);
  return ([x, y, z], days) => {
    let sum = 0;
    for (const w of parts) sum += Math.cos(w.x * x + w.y * y + w.z * z + w.phase + w.drift * days);
    return scale * sum;
  };
}
