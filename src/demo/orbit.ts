/**
 * Circular sun-synchronous orbits over a spherical Earth: where a satellite is, what lies across its track, and
 * where the sun stands. Pure geometry; angles in degrees at the surface of this file, times in ms since 1970 UTC.
 */
export type Vector3 = readonly [x: number, y: number, z: number];

export interface Orbit {
  altitudeKm: number;
  /** Degrees; 98.7 makes an orbit at 817 km keep pace with the sun. */
  inclination: number;
  /** Mean solar time at which the satellite crosses the equator northward, hours. */
  ascendingNodeTime: number;
  /** An ascending node: the start of orbit 1. */
  epoch: number;
}

/** A satellite's Earth-fixed surroundings: both vectors have length 1 and are perpendicular. */
export interface TrackFrame {
  /** From the Earth's centre to the point below the satellite. */
  nadir: Vector3;
  /** Across the track, to the right of the flight direction. */
  right: Vector3;
}

const EARTH_RADIUS_KM = 6371.0088;
/** Standard gravitational parameter, km³/s². */
const EARTH_MU = 398600.4418;
const DAY_MS = 86_400_000;
const RADIANS = Math.PI / 180;

/** Kepler's third law: about 101 minutes at 817 km. */
export function periodMs(orbit: Orbit): number {
  return 2000 * Math.PI * Math.sqrt((EARTH_RADIUS_KM + orbit.altitudeKm) ** 3 / EARTH_MU);
}

/** Orbits are counted from 1 at `epoch`, each beginning at its ascending node. */
export function orbitNumber(orbit: Orbit, time: number): number {
  return Math.floor((time - orbit.epoch) / periodMs(orbit)) + 1;
}

/** When orbit `number` begins. */
export function orbitStart(orbit: Orbit, number: number): number {
  return orbit.epoch + (number - 1) * periodMs(orbit);
}

/**
 * The orbital plane turns with the mean sun, so its node keeps one local time; its longitude is that time minus
 * UTC. This is the Earth's rotation and the plane's precession in one line.
 */
export function frameAt(orbit: Orbit, time: number): TrackFrame {
  const node = 15 * (orbit.ascendingNodeTime - (24 * time) / DAY_MS) * RADIANS;
  const tilt = orbit.inclination * RADIANS;
  const u = (2 * Math.PI * (time - orbit.epoch)) / periodMs(orbit);
  const [cosN, sinN, cosI, sinI] = [Math.cos(node), Math.sin(node), Math.cos(tilt), Math.sin(tilt)];
  const [cosU, sinU] = [Math.cos(u), Math.sin(u)];
  return {
    nadir: [cosN * cosU - sinN * cosI * sinU, sinN * cosU + cosN * cosI * sinU, sinI * sinU],
    right: [-sinN * sinI, cosN * sinI, -cosI],
  };
}

/**
 * Where a line of sight meets the ground, as an angle at the Earth's centre.
 *
 * @param scanAngle degrees off nadir at the satellite, negative to the left
 */
export function groundAngle(orbit: Orbit, scanAngle: number): number {
  const ratio = (EARTH_RADIUS_KM + orbit.altitudeKm) / EARTH_RADIUS_KM;
  const scan = scanAngle * RADIANS;
  return (Math.asin(ratio * Math.sin(scan)) - scan) / RADIANS;
}

/** The point `angle` degrees (at the Earth's centre) to the right of nadir. */
export function across(frame: TrackFrame, angle: number): Vector3 {
  const [c, s] = [Math.cos(angle * RADIANS), Math.sin(angle * RADIANS)];
  const [n, r] = [frame.nadir, frame.right];
  return [n[0] * c + r[0] * s, n[1] * c + r[1] * s, n[2] * c + r[2] * s];
}

/** [longitude in [-180, 180], latitude]. */
export function lonLat(point: Vector3): [lon: number, lat: number] {
  const lat = Math.asin(Math.max(-1, Math.min(1, point[2]))) / RADIANS;
  return [Math.atan2(point[1], point[0]) / RADIANS, lat];
}

/** Towards the sun, Earth-fixed: mean sun, declination by the day of the year. */
export function sunAt(time: number): Vector3 {
  const declination = -23.44 * Math.cos((2 * Math.PI * (yearDay(time) + 10)) / 365.24) * RADIANS;
  const lon = 15 * (12 - (24 * time) / DAY_MS) * RADIANS;
  return [
    Math.cos(declination) * Math.cos(lon),
    Math.cos(declination) * Math.sin(lon),
    Math.sin(declination),
  ];
}

/** The cosine of the angle between two unit vectors. */
export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** Days since the year began, with their fraction. */
export function yearDay(time: number): number {
  return (time - Date.UTC(new Date(time).getUTCFullYear(), 0, 1)) / DAY_MS;
}
