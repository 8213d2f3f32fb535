import type { Box } from "../geometry/longitude.ts";
import type { ReadOptions } from "../store/store.ts";
import type { QueryBox } from "./api.ts";
import type { IndexReads } from "./pages.ts";
import { readWhole } from "./whole.ts";

/** The shapes of a tree that cross ±180, and the two real boxes of each. */
export class CrossingShapes {
  readonly #rows: Uint32Array;
  readonly #boxes: Float64Array;

  constructor(rows: Uint32Array, boxes: Float64Array) {
    this.#rows = rows;
    this.#boxes = boxes;
  }

  static async read(
    reads: IndexReads,
    side: string,
    count: number,
    sums: readonly number[],
    options: ReadOptions,
  ): Promise<CrossingShapes> {
    const [rows, boxes] = await Promise.all([
      readWhole(reads, `${side}/crossing_rows`, "uint32", count, sums[0], options),
      readWhole(reads, `${side}/crossing_boxes`, "float64", 8 * count, sums[1], options),
    ]);
    return new CrossingShapes(rows, boxes);
  }

  /** The number of a row among them; `undefined`: it does not cross. */
  find(row: number): number | undefined {
    const i = this.#firstFrom(row);
    return this.#rows[i] === row ? i : undefined;
  }

  /** Those in rows `from` to `to` (exclusive): `at` counts from `from`. */
  between(from: number, to: number): { at: number; boxes: [Box, Box] }[] {
    const first = this.#firstFrom(from);
    const rows = this.#rows.subarray(first, this.#firstFrom(to));
    return Array.from(rows, (row, i) => ({ at: row - from, boxes: this.boxes(first + i) }));
  }

  #firstFrom(row: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Its two real boxes. */
  boxes(i: number): [Box, Box] {
    const [a, b] = [8 * i, 8 * i + 4].map((at) => [...this.#boxes.subarray(at, at + 4)] as Box);
    return [a!, b!];
  }

  /** Whether one of its two boxes touches one of `queries`. */
  touches(i: number, queries: readonly QueryBox[]): boolean {
    for (let at = 8 * i; at < 8 * i + 8; at += 4) {
      const [west, south, east, north] = this.#boxes.subarray(at, at + 4) as unknown as QueryBox;
      if (queries.some(([w, s, e, n]) => west <= e && east >= w && south <= n && north >= s)) return true;
    }
    return false;
  }
}
