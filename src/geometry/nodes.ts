/**
 * Points of an arrangement of segments, told apart exactly: vertices are doubles; where segments cross between their
 * ends the point is rational and is kept to 2^-600 of a degree, far finer than distinct points of such input can lie.
 */

/** What one degree is in the integers of exact coordinates. */
const SCALE = 2 ** 600;

/** A coordinate in units of 2^-600 degrees. */
export function exact(value: number): bigint {
  return BigInt(Math.round(value * SCALE));
}

/** All nodes of one arrangement, numbered from 0 as they are found. */
export class Nodes {
  /** Nearest double to each node's coordinates. */
  readonly x: number[] = [];
  readonly y: number[] = [];
  private readonly exactX: (bigint | undefined)[] = [];
  private readonly exactY: (bigint | undefined)[] = [];
  private readonly byPlace = new Map<number, Map<number, number[]>>();

  get length(): number {
    return this.x.length;
  }

  /** The node at these very doubles. */
  vertex(x: number, y: number): number {
    const here = this.at(x, y);
    for (const node of here) {
      if (
        this.exactX[node] === undefined ||
        (this.exactX[node] === exact(x) && this.exactY[node] === exact(y))
      )
        return node;
    }
    return this.add(here, x, y);
  }

  /** The node where segments `i` and `j` (x1, y1, x2, y2 at 4i, 4j) cross. */
  crossing(s: Float64Array, i: number, t: Float64Array, j: number): number {
    const px = exact(s[4 * i]!);
    const py = exact(s[4 * i + 1]!);
    const qx = exact(t[4 * j]!);
    const qy = exact(t[4 * j + 1]!);
    const dx = exact(s[4 * i + 2]!) - px;
    const dy = exact(s[4 * i + 3]!) - py;
    const ex = exact(t[4 * j + 2]!) - qx;
    const ey = exact(t[4 * j + 3]!) - qy;
    const cross = dx * ey - dy * ex;
    const along = (qx - px) * ey - (qy - py) * ex;
    const x = floorDivide(px * cross + dx * along, cross);
    const y = floorDivide(py * cross + dy * along, cross);
    return this.rational(x, y);
  }

  /** Orders two nodes of one segment along x, or along y where `byY`. */
  compare(a: number, b: number, byY: boolean): number {
    const values = byY ? this.y : this.x;
    if (values[a]! !== values[b]!) return values[a]! - values[b]!;
    const difference = byY
      ? this.exactAt(a)[1] - this.exactAt(b)[1]
      : this.exactAt(a)[0] - this.exactAt(b)[0];
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** Exact coordinates of a node. */
  exactAt(node: number): [bigint, bigint] {
    this.exactX[node] ??= exact(this.x[node]!);
    this.exactY[node] ??= exact(this.y[node]!);
    return [this.exactX[node]!, this.exactY[node]!];
  }

  private rational(exactX: bigint, exactY: bigint): number {
    const x = Number(exactX) / SCALE;
    const y = Number(exactY) / SCALE;
    const here = this.at(x, y);
    for (const node of here) {
      const [otherX, otherY] = this.exactAt(node);
      if (otherX === exactX && otherY === exactY) return node;
    }
    const node = this.add(here, x, y);
    this.exactX[node] = exactX;
    this.exactY[node] = exactY;
    return node;
  }

  private at(x: number, y: number): number[] {
    const column = this.byPlace.get(x) ?? new Map<number, number[]>();
    if (column.size === 0) this.byPlace.set(x, column);
    const here = column.get(y) ?? [];
    if (here.length === 0) column.set(y, here);
    return here;
  }

  private add(here: number[], x: number, y: number): number {
    here.push(this.x.length);
    this.x.push(x);
    this.y.push(y);
    return this.x.length - 1;
  }
}

function floorDivide(numerator: bigint, divisor: bigint): bigint {
  const quotient = numerator / divisor;
  const rest = numerator - quotient * divisor;
  return rest !== 0n && rest < 0n !== divisor < 0n ? quotient - 1n : quotient;
}
