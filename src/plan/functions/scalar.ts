/** What a scalar function of one row is, and ways to make one. */
import { FLOAT64, type SqlType } from "../../table/types.ts";
import { type CellValue, cellAt, type Vector } from "../../table/vector.ts";
import type { Numbers } from "../eval/numbers.ts";
import { vectorOf } from "../eval/vectors.ts";

/** Kinds of arguments: `text` is text, bytes too for `octets`; `time` is a timestamp or a duration. */
export type ArgumentKind =
  | "string"
  | "bytes"
  | "octets"
  | "number"
  | "integer"
  | "timestamp"
  | "time"
  | "geometry";

export interface ScalarFunction {
  args: readonly ArgumentKind[];
  /** How many of `args`, counted from the last, may be left out; default 0. */
  optional?: number;
  result(args: readonly SqlType[]): SqlType;
  /** NULL arguments make NULL; `apply` may leave those rows as they are. */
  apply(args: readonly Vector[], type: SqlType): Vector;
  /** Never falls as its last argument grows, the others being constant. */
  monotone?: boolean;
}

/** A function of the cells of one row, none of them NULL. */
export function byRow(
  args: readonly ArgumentKind[],
  result: SqlType,
  make: (...cells: never[]) => CellValue,
  optional = 0,
): ScalarFunction {
  const apply = (vectors: readonly Vector[], type: SqlType) => {
    const cells = Array.from({ length: vectors[0]!.length }, (_, i) => {
      const row = vectors.map((vector) => cellAt(vector, i));
      return row.includes(null) ? null : make(...(row as never[]));
    });
    return vectorOf(type, cells);
  };
  return { args, optional, result: () => result, apply };
}

/** A function of doubles; NaN is NULL. */
export function ofDoubles(count: number, make: (...values: number[]) => number): ScalarFunction {
  return {
    args: Array<ArgumentKind>(count).fill("number"),
    result: () => FLOAT64,
    apply: (vectors) => doubles(vectors as readonly Numbers[], make),
  };
}

function doubles(vectors: readonly Numbers[], make: (...values: number[]) => number): Vector {
  const length = vectors[0]!.length;
  const [values, nulls] = [new Float64Array(length), new Uint8Array(length)];
  for (let i = 0; i < length; i++) {
    values[i] = make(...vectors.map((vector) => Number(vector.values[i])));
    if (Number.isNaN(values[i]) || vectors.some((vector) => vector.nulls?.[i])) nulls[i] = 1;
  }
  return { kind: "number", type: FLOAT64, length, values, nulls: nulls.includes(1) ? nulls : undefined };
}
