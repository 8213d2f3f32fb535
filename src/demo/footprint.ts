/**
 * Outlines on the sphere as polygons in planar degrees, the way archives draw them: continuous in longitude,
 * closed over a pole they contain, split at ±180 or running on beyond it; and as WKB.
 */
export type Ring = [lon: number, lat: number][];

/** Polygons without holes. */
export type Footprint = Ring[];

/**
 * @param outline [lon, lat] of an outline whose edges are great circles shorter than 180°, not closed
 * @param style what becomes of a shape that reaches beyond ±180
 */
export function footprint(outline: Ring, style: "split" | "unsplit"): Footprint {
  const ring = unwrap(outline);
  const turn = shorter(ring.at(-1)![0], outline[0]![0]) - ring[0]![0];
  if (Math.abs(turn) > 180) return [closeOverPole(ring, turn)];
  const centred = shift(ring, -360 * Math.round(middle(ring) / 360));
  return style === "split" ? split(centred) : [centred];
}

/** Longitudes made continuous: each edge goes the shorter way, as great circles do. */
function unwrap(outline: Ring): Ring {
  let last = outline[0]![0];
  return outline.map(([lon, lat]) => {
    last = shorter(last, lon);
    return [last, lat];
  });
}

/** `lon` plus the multiple of 360 that brings it closest to `from`. */
function shorter(from: number, lon: number): number {
  return lon + 360 * Math.round((from - lon) / 360);
}

function middle(ring: Ring): number {
  const lons = ring.map(([lon]) => lon);
  return (Math.min(...lons) + Math.max(...lons)) / 2;
}

function shift(ring: Ring, by: number): Ring {
  return ring.map(([lon, lat]) => [lon + by, lat]);
}

/** A ring that goes once around the pole: cut where it meets the antimeridian, then led along it and the pole. */
function closeOverPole(ring: Ring, turn: number): Ring {
  const path: Ring = [...ring, [ring[0]![0] + turn, ring[0]![1]]];
  const cut = path.findIndex(([lon], k) => k > 0 && meridian(path[k - 1]![0]) !== meridian(lon));
  const edge = 180 * Math.sign(turn);
  const lat = latitudeAt(
    path[cut - 1]!,
    path[cut]!,
    360 * Math.max(meridian(path[cut - 1]![0]), meridian(path[cut]![0])) - 180,
  );
  const around = unwrap([[-edge, lat], ...ring.slice(cut), ...ring.slice(0, cut)]);
  const pole = 90 * Math.sign(ring.reduce((sum, point) => sum + point[1], 0));
  return [...around, [edge, lat], [edge, pole], [-edge, pole]];
}

/** Which copy of [-180, 180) a longitude lies in. */
function meridian(lon: number): number {
  return Math.floor((lon + 180) / 360);
}

function latitudeAt(a: [number, number], b: [number, number], lon: number): number {
  return a[1] + ((b[1] - a[1]) * (lon - a[0])) / (b[0] - a[0]);
}

/** The parts of a ring within [-180, 180] and, brought back there, those beyond. */
function split(ring: Ring): Footprint {
  const west = clip(ring, -180, -1).map((part) => shift(part, 360));
  const inner = clip(ring, -180, 1).flatMap((part) => clip(part, 180, -1));
  const east = clip(ring, 180, 1).map((part) => shift(part, -360));
  return [...inner, ...west, ...east];
}

/** The parts of a simple ring east (`side` 1) or west (-1) of a meridian. */
function clip(ring: Ring, lon: number, side: 1 | -1): Ring[] {
  const chains = chainsBeside(ring, lon, side);
  if (chains === "all") return [ring];
  // Along the meridian, the ends of chains are joined in pairs: between the first and second is inside, and so on.
  const ends = chains.flatMap((chain, k) => [
    { lat: chain[0]![1], chain: k, first: true },
    { lat: chain.at(-1)![1], chain: k, first: false },
  ]);
  ends.sort((a, b) => a.lat - b.lat);
  const next = chains.map((_, k) => ends[ends.findIndex((e) => e.chain === k && !e.first) ^ 1]!.chain);
  const parts: Ring[] = [];
  const used = new Set<number>();
  for (let k = 0; k < chains.length; k++) {
    if (used.has(k)) continue;
    const part: Ring = [];
    for (let c = k; !used.has(c); c = next[c]!) {
      used.add(c);
      part.push(...chains[c]!);
    }
    parts.push(part);
  }
  return parts;
}

/** The runs of points beside a meridian, each from where it enters to where it leaves. */
function chainsBeside(ring: Ring, lon: number, side: 1 | -1): Ring[] | "all" {
  const inside = ring.map(([x]) => (x - lon) * side > 0);
  const start = inside.findIndex((is, k) => is && !inside.at(k - 1));
  if (start < 0) return inside[0] ? "all" : [];
  const chains: Ring[] = [];
  for (let n = 0; n < ring.length; n++) {
    const k = (start + n) % ring.length;
    const [before, point, after] = [ring.at(k - 1)!, ring[k]!, ring[(k + 1) % ring.length]!];
    if (!inside[k]) continue;
    if (!inside.at(k - 1)) chains.push([[lon, latitudeAt(before, point, lon)]]);
    chains.at(-1)!.push(point);
    if (!inside[(k + 1) % ring.length]) chains.at(-1)!.push([lon, latitudeAt(point, after, lon)]);
  }
  return chains;
}

/** OGC well-known binary, little-endian: a Polygon, or a MultiPolygon where there are several. */
export function toWkb(polygons: Footprint): Uint8Array {
  const parts = polygons.map(polygonWkb);
  if (parts.length === 1) return parts[0]!;
  const out = Buffer.concat([Buffer.alloc(9), ...parts]);
  out.writeUInt8(1, 0);
  out.writeUInt32LE(6, 1);
  out.writeUInt32LE(parts.length, 5);
  return out;
}

/** Rings are closed and run counter-clockwise, as RFC 7946 likes them. */
function polygonWkb(ring: Ring): Buffer {
  const points = signedArea(ring) < 0 ? [...ring].reverse() : [...ring];
  points.push(points[0]!);
  const out = Buffer.alloc(13 + 16 * points.length);
  out.writeUInt8(1, 0);
  out.writeUInt32LE(3, 1);
  out.writeUInt32LE(1, 5);
  out.writeUInt32LE(points.length, 9);
  points.forEach(([lon, lat], k) => {
    out.writeDoubleLE(lon, 13 + 16 * k);
    out.writeDoubleLE(lat, 21 + 16 * k);
  });
  return out;
}

function signedArea(ring: Ring): number {
  return ring.reduce((sum, [x, y], k) => {
    const [x2, y2] = ring[(k + 1) % ring.length]!;
    return sum + x * y2 - x2 * y;
  }, 0);
}
