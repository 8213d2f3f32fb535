/** Functions of any number of values that pass over NULLs: greatest, least, concat, concat_ws. */

import { order } from "../../table/texts.ts";
import { type SqlType, STRING } from "../../table/types.ts";
import { type CellValue, cellAt, type Vector } from "../../table/vector.ts";
import { utf8, vectorOf } from "../eval/vectors.ts";
import { textOf } from "./cast.ts";
import { Joined } from "./text-size.ts";

export type Several = "greatest" | "least" | "concat" | "concat_ws";

/** `vectors` are of `type` for greatest and least. */
export function severalValues(name: Several, vectors: readonly Vector[], type: SqlType): Vector {
  const joined = new Joined();
  const cells = Array.from({ length: vectors[0]!.length }, (_, i) => {
    if (name === "greatest" || name === "least") return extreme(vectors, i, name === "least" ? -1 : 1);
    const texts = vectors.map((vector) => textAt(vector, i));
    if (name === "concat") return joined.take(texts.join(""));
    const [separator, ...parts] = texts;
    return separator === null ? null : joined.take(parts.filter((part) => part !== null).join(separator));
  });
  return vectorOf(type.kind === "null" ? STRING : type, cells);
}

function textAt(vector: Vector, i: number): string | null {
  const cell = cellAt(vector, i);
  return cell === null ? null : textOf(cell, vector.type);
}

function extreme(vectors: readonly Vector[], i: number, wanted: 1 | -1): CellValue {
  let best: CellValue = null;
  for (const vector of vectors) {
    const cell = cellAt(vector, i);
    if (cell === null) continue;
    if (best === null || comparison(cell, best) * wanted > 0) best = cell;
  }
  return best;
}

function comparison(a: Exclude<CellValue, null>, b: Exclude<CellValue, null>): number {
  if (typeof a !== "string" && !(a instanceof Uint8Array)) return a > b ? 1 : a < b ? -1 : 0;
  const [x, y] = [a, b].map((value) => (typeof value === "string" ? utf8(value) : (value as Uint8Array)));
  return order(x!, 0, x!.length, y!, 0, y!.length);
}
