/** Least and greatest values of groups, and the boxes of their geometries. */
import { boundingBox, envelope } from "../../geometry/geometry.ts";
import { wkbBox } from "../../geometry/wkb-box.ts";
import { writeWkb } from "../../geometry/wkb-write.ts";
import { order } from "../../table/texts.ts";
import type { SqlType } from "../../table/types.ts";
import type { BytesVector, CellValue, Vector } from "../../table/vector.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Numbers } from "../eval/numbers.ts";
import { atRow, geometryAt } from "../eval/spatial.ts";
import { arrayFor, vectorOf } from "../eval/vectors.ts";
import { type Accumulator, asDoubles, Doubles, type Rows } from "./accumulator.ts";
import type { Budget } from "./key-sets.ts";

/** Of numbers, times and bools. */
export class Extremes implements Accumulator {
  readonly #sign: 1 | -1;
  readonly #type: SqlType;
  /** NaN where a group has none. */
  readonly #best: Doubles;
  /** Of values that came as 64-bit integers. */
  readonly #big = new Map<number, bigint>();

  constructor(which: "min" | "max", type: SqlType, budget: Budget) {
    this.#sign = which === "min" ? 1 : -1;
    this.#type = type;
    this.#best = new Doubles(Number.NaN, budget);
  }

  add({ length, ids, groups }: Rows, vector: Vector): void {
    const best = this.#best.upTo(groups);
    const { nulls } = vector;
    if (vector.kind === "bigint") {
      for (let i = 0; i < length; i++) if (!nulls?.[i]) this.#addBig(ids ? ids[i]! : 0, vector.values[i]!);
      return;
    }
    const values = asDoubles((vector as Numbers).values as ArrayLike<number>);
    const smallest = this.#sign > 0;
    for (let i = 0; i < length; i++) {
      if (nulls?.[i]) continue;
      const [group, value] = [ids ? ids[i]! : 0, values[i]!];
      const kept = smallest ? best[group]! <= value : best[group]! >= value;
      if (!kept) best[group] = value;
    }
  }

  #addBig(group: number, value: bigint): void {
    const best = this.#big.get(group);
    if (best === undefined || (this.#sign > 0 ? value < best : value > best)) this.#big.set(group, value);
  }

  result(groups: number): Vector {
    const best = this.#best.upTo(groups);
    const type = this.#type;
    if (this.#big.size > 0)
      return vectorOf(
        type,
        Array.from({ length: groups }, (_, i) => this.#either(i)),
      );
    const nulls = Uint8Array.from({ length: groups }, (_, i) => (Number.isNaN(best[i]!) ? 1 : 0));
    const values = arrayFor(type, groups);
    values.set(best.subarray(0, groups));
    return { kind: "number", type, length: groups, values, nulls: nulls.includes(1) ? nulls : undefined };
  }

  #either(group: number): bigint | null {
    const [small, big] = [this.#best.values[group]!, this.#big.get(group)];
    if (Number.isNaN(small)) return big ?? null;
    if (big === undefined) return BigInt(small);
    return this.#sign > 0 === small < big ? BigInt(small) : big;
  }
}

/** Of text and bytes. Each group's value is copied once per run of rows at most. */
export class ByteExtremes implements Accumulator {
  readonly #sign: 1 | -1;
  readonly #type: SqlType;
  readonly #budget: Budget;
  readonly #best: (Uint8Array | undefined)[] = [];

  constructor(which: "min" | "max", type: SqlType, budget: Budget) {
    this.#sign = which === "min" ? 1 : -1;
    this.#type = type;
    this.#budget = budget;
  }

  add({ length, ids }: Rows, vector: Vector): void {
    const { data, starts, ends, nulls } = vector as BytesVector;
    const rows = new Map<number, number>();
    for (let i = 0; i < length; i++) {
      if (nulls?.[i]) continue;
      const group = ids ? ids[i]! : 0;
      const [row, best] = [rows.get(group), this.#best[group]];
      const sign =
        row !== undefined
          ? order(data, starts[i]!, ends[i]!, data, starts[row]!, ends[row]!)
          : best
            ? order(data, starts[i]!, ends[i]!, best, 0, best.length)
            : -this.#sign;
      if (sign * this.#sign < 0) rows.set(group, i);
    }
    for (const [group, row] of rows) {
      this.#budget.take(ends[row]! - starts[row]! + (this.#best[group] ? -this.#best[group].length : 64));
      this.#best[group] = data.slice(starts[row], ends[row]);
    }
  }

  result(groups: number): Vector {
    return vectorOf(
      this.#type,
      Array.from({ length: groups }, (_, i) => this.#best[i] ?? null),
    );
  }
}

/** `ST_Extent`: the box around all geometries of a group as they are drawn, a polygon. */
export class Extents implements Accumulator {
  readonly #arg: BoundExpr;
  readonly #type: SqlType;
  readonly #boxes: Doubles;

  constructor(arg: BoundExpr, type: SqlType, budget: Budget) {
    this.#arg = arg;
    this.#type = type;
    this.#boxes = new Doubles(Number.NaN, budget);
  }

  add({ length, ids, groups, numbers }: Rows, vector: Vector): void {
    const boxes = this.#boxes.upTo(4 * groups);
    const own = new Float64Array(4);
    for (let i = 0; i < length; i++) {
      if (vector.nulls?.[i] || !this.#read(vector as BytesVector, i, own, numbers)) continue;
      const at = ids ? 4 * ids[i]! : 0;
      for (let k = 0; k < 4; k++) {
        const kept = k < 2 ? boxes[at + k]! <= own[k]! : boxes[at + k]! >= own[k]!;
        if (!kept) boxes[at + k] = own[k]!;
      }
    }
  }

  #read(vector: BytesVector, i: number, box: Float64Array, numbers: Rows["numbers"]): boolean {
    try {
      const { type, data, starts, ends } = vector;
      if (type.kind === "geometry" && type.encoding === "wkb") return wkbBox(data, starts[i]!, ends[i]!, box);
      const bounds = boundingBox(geometryAt(vector, i));
      if (bounds) box.set(bounds);
      return bounds !== undefined;
    } catch (error) {
      throw atRow(error, this.#arg, numbers()[i]!);
    }
  }

  result(groups: number): Vector {
    const boxes = this.#boxes.upTo(4 * groups);
    const cell = (_: unknown, i: number): CellValue => {
      const [west, south, east, north] = boxes.subarray(4 * i, 4 * i + 4) as unknown as number[];
      return Number.isNaN(west) ? null : writeWkb(envelope(west!, south!, east!, north!));
    };
    return vectorOf(this.#type, Array.from({ length: groups }, cell));
  }
}
