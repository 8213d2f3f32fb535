/**
 * The DE-9IM matrix of two shapes (OGC 06-103r4, 6.1.15), exactly, from their arrangement: every node, edge and
 * face of it lies wholly in the interior, boundary or exterior of each shape.
 *
 * Collections count as the union of their parts; a point of several kinds of parts is first what polygons make
 * it, then lines, then points; line ends are boundary where an odd number of lines end (the mod-2 rule). So GEOS 3.13
 * and later have it. Where a polygon is not valid, its area is what its shell encloses an odd number of times and no hole
 * does, and edges with the outside on both sides belong to its boundary; nothing ever throws.
 */
import type { Arrangement, Edge } from "./arrangement.ts";
import { arrange } from "./arrangement.ts";
import type { Linework } from "./linework.ts";
import type { Nodes } from "./nodes.ts";
import { exact } from "./nodes.ts";
import { Parity } from "./parity.ts";

/** Places in the matrix: row of the first shape's, column of the second's. */
export const INTERIOR = 0;
export const BOUNDARY = 1;
export const EXTERIOR = 2;

/** Nine dimensions, at 3 * (place in the first) + (place in the second); -1 where nothing is shared. */
export type Matrix = Int8Array;

export interface RelateOptions {
  /** Only what lies in [-180, 180] counts: the rest repeats it. */
  window?: boolean;
  /** The segments of `b` to look at; what the others would add is the caller's. */
  chosen?: Iterable<number>;
}

/** How nodes lie to one shape's polygons and lines, gathered from the edges that meet there. */
const ON_EDGE = 1;
const ON_INNER_EDGE = 2;
const INSIDE = 4;
const OUTSIDE = 8;
const ON_LINE = 16;

/** Relates `a` and `b` as they lie in the plane. */
export function relateMatrix(a: Linework, b: Linework, options: RelateOptions = {}): Matrix {
  const matrix = new Int8Array(9).fill(-1);
  matrix[8] = 2;
  const arrangement = arrange(a, b, options.chosen);
  const { nodes, edges } = arrangement;
  const seen = [new Uint8Array(nodes.length), new Uint8Array(nodes.length)] as const;
  const sides = [new Sides(a, nodes), new Sides(b, nodes)] as const;
  const outside = (x: number) => options.window === true && (x < -180 || x > 180);
  for (const edge of edges) {
    const counts = !outside((nodes.x[edge.from]! + nodes.x[edge.to]!) / 2);
    const here = sides.map((side, k) => side.at(edge, edge.along[k as 0 | 1]));
    for (const k of [0, 1] as const) for (const node of [edge.from, edge.to]) seen[k][node]! |= here[k]!.mark;
    if (!counts) continue;
    raise(matrix, here[0]!.edge, here[1]!.edge, 1);
    raise(matrix, here[0]!.first, here[1]!.first, 2);
    raise(matrix, here[0]!.second, here[1]!.second, 2);
  }
  const places = [a, b].map((shape, k) => nodePlaces(shape, arrangement, k as 0 | 1, seen[k as 0 | 1]));
  for (let node = 0; node < nodes.length; node++) {
    if (!outside(nodes.x[node]!)) raise(matrix, places[0]![node]!, places[1]![node]!, 0);
  }
  return matrix;
}

function raise(matrix: Matrix, placeA: number, placeB: number, dimension: number): void {
  const i = 3 * placeA + placeB;
  if (matrix[i]! < dimension) matrix[i] = dimension;
}

/** Where each node lies in `shape`. */
function nodePlaces(
  shape: Linework,
  { nodes, points, ends }: Arrangement,
  k: 0 | 1,
  seen: Uint8Array,
): Uint8Array {
  const odd = new Uint8Array(nodes.length);
  for (const node of ends[k]) odd[node]! ^= 1;
  const isPoint = new Uint8Array(nodes.length);
  for (const node of points[k]) isPoint[node] = 1;
  return seen.map((marks, node) => {
    if (marks & ON_EDGE) return BOUNDARY;
    if (marks & (ON_INNER_EDGE | INSIDE)) return INTERIOR;
    if (marks === 0 && shape.locate(nodes.x[node]!, nodes.y[node]!) > 0) return INTERIOR;
    if (odd[node]) return BOUNDARY;
    return marks & ON_LINE || isPoint[node] ? INTERIOR : EXTERIOR;
  });
}

/** Where an edge and the faces on its two sides lie in one shape. */
interface EdgePlaces {
  edge: number;
  /** The face to the east, or to the north of a level edge. */
  first: number;
  second: number;
  mark: number;
}

/** Finds how edges lie to one shape by counting what a ray from their middle crosses. */
class Sides {
  private readonly work: Linework;
  private readonly nodes: Nodes;
  /** How far the middle of an edge, as a double, may be from where it really is, with room to spare. */
  private readonly slack: number;
  private readonly parity: Parity;

  constructor(work: Linework, nodes: Nodes) {
    this.work = work;
    this.nodes = nodes;
    this.parity = new Parity(work.rings);
    this.slack =
      1e-15 *
      Math.max(1, ...[work.west, work.south, work.east, work.north].map(Math.abs).filter(Number.isFinite));
  }

  at(edge: Edge, along: number[]): EdgePlaces {
    const { owner, rings } = this.work;
    const onLine = along.some((segment) => owner[segment]! < 0);
    const borders = along.map((segment) => owner[segment]!).filter((ring) => ring >= 0);
    const [first, second] = rings.polygons === 0 ? [false, false] : this.count(edge, along, borders);
    const faces = { first: first ? INTERIOR : EXTERIOR, second: second ? INTERIOR : EXTERIOR };
    const line = onLine ? ON_LINE : 0;
    if (borders.length > 0) {
      const inner = first && second;
      return { edge: inner ? INTERIOR : BOUNDARY, ...faces, mark: line | (inner ? ON_INNER_EDGE : ON_EDGE) };
    }
    return { edge: first || onLine ? INTERIOR : EXTERIOR, ...faces, mark: line | (first ? INSIDE : OUTSIDE) };
  }

  /** Whether some polygon covers the first and the second side; between them lie the borders. */
  private count(edge: Edge, along: number[], borders: number[]): [boolean, boolean] {
    const { parity } = this;
    parity.clear();
    this.castRay(edge, along);
    const first = parity.count > 0;
    for (const ring of borders) parity.cross(ring);
    return [first, parity.count > 0];
  }

  /** The ray runs east from just north of the edge's middle, east of the edge unless that is level. */
  private castRay({ from, to }: Edge, along: number[]): void {
    const { segments: s, owner, west, south, east, north } = this.work;
    const x = (this.nodes.x[from]! + this.nodes.x[to]!) / 2;
    const y = (this.nodes.y[from]! + this.nodes.y[to]!) / 2;
    const { slack } = this;
    if (x < west - slack || x > east + slack || y < south - slack || y > north + slack) return;
    const middle = new Middle(this.nodes, from, to, x, y);
    for (const i of this.work.passing(y, y)) {
      const ring = owner[i]!;
      const x1 = s[4 * i]!;
      const x2 = s[4 * i + 2]!;
      if (ring < 0 || (x1 < x - slack && x2 < x - slack)) continue;
      const y1 = s[4 * i + 1]!;
      const y2 = s[4 * i + 3]!;
      const rising = middle.isBelow(y2, slack);
      if (middle.isBelow(y1, slack) === rising || along.includes(i)) continue;
      const right = (x1 > x + slack && x2 > x + slack) || middle.isLeftOf(x1, y1, x2, y2, slack) === rising;
      if (right) this.parity.cross(ring);
    }
  }
}

/** The middle of an edge: compared as a double where that is safe, else exactly. */
class Middle {
  private readonly nodes: Nodes;
  private readonly from: number;
  private readonly to: number;
  private readonly x: number;
  private readonly y: number;
  private doubled: [bigint, bigint] | undefined;

  constructor(nodes: Nodes, from: number, to: number, x: number, y: number) {
    this.nodes = nodes;
    this.from = from;
    this.to = to;
    this.x = x;
    this.y = y;
  }

  /** Whether it lies below latitude `y`. */
  isBelow(y: number, slack: number): boolean {
    const difference = y - this.y;
    return Math.abs(difference) > slack ? difference > 0 : 2n * exact(y) > this.twice()[1];
  }

  /** Whether it lies left of the line from (x1, y1) to (x2, y2); it never lies on it. */
  isLeftOf(x1: number, y1: number, x2: number, y2: number, slack: number): boolean {
    const [ax, ay, bx, by] = [x1 - this.x, y1 - this.y, x2 - this.x, y2 - this.y];
    const size = Math.abs(ax) + Math.abs(ay) + Math.abs(bx) + Math.abs(by);
    const determinant = ax * by - bx * ay;
    if (Math.abs(determinant) > 4 * size * slack + 1e-15 * (Math.abs(ax * by) + Math.abs(bx * ay)))
      return determinant > 0;
    const [mx, my] = this.twice();
    const [ex, ey] = [exact(x1), exact(y1)];
    return (exact(x2) - ex) * (my - 2n * ey) - (exact(y2) - ey) * (mx - 2n * ex) > 0n;
  }

  private twice(): [bigint, bigint] {
    if (!this.doubled) {
      const [a, b] = [this.nodes.exactAt(this.from), this.nodes.exactAt(this.to)];
      this.doubled = [a[0] + b[0], a[1] + b[1]];
    }
    return this.doubled;
  }
}
