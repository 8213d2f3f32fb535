/** Comparisons of strings and bytes, on their bytes: UTF-8 order is code point order. */
import { hash, isText, order } from "../../table/texts.ts";
import type { BytesVector } from "../../table/vector.ts";
import type { CompareOp } from "../bind/bound.ts";
import { type Truth, withNulls } from "./truth.ts";

/** `test` on the values of `vector`: on one of each kind, where they are few. */
export function testTexts(vector: BytesVector, test: (vector: BytesVector) => Truth): Truth {
  const { coded, length, nulls } = vector;
  if (!coded || coded.kinds.length > length) return test(vector);
  const known = test(coded.kinds);
  const truth = new Uint8Array(length);
  for (let i = 0; i < length; i++) truth[i] = known[coded.codes[i]!]!;
  return withNulls(truth, nulls);
}

/** Whether each value is exactly `text`. */
export const equalsText = (vector: BytesVector, text: Uint8Array): Truth =>
  testTexts(vector, (values) => equalEach(values, text));

function equalEach(vector: BytesVector, text: Uint8Array): Truth {
  const { data, starts, ends } = vector;
  const truth = new Uint8Array(vector.length);
  const size = text.length;
  for (let i = 0; i < truth.length; i++) {
    const start = starts[i]!;
    if (ends[i]! - start !== size) continue;
    let k = 0;
    while (k < size && data[start + k] === text[k]) k++;
    if (k === size) truth[i] = 1;
  }
  return withNulls(truth, vector.nulls);
}

/** Whether each value is one of `texts`. */
export const isOneOfTexts = (vector: BytesVector, texts: readonly Uint8Array[], hasNull: boolean): Truth =>
  testTexts(vector, (values) => findEach(values, texts, hasNull));

function findEach(vector: BytesVector, texts: readonly Uint8Array[], hasNull: boolean): Truth {
  const { data, starts, ends } = vector;
  const buckets = new Map<number, Uint8Array[]>();
  for (const text of texts) {
    const key = hash(text, 0, text.length);
    buckets.set(key, [...(buckets.get(key) ?? []), text]);
  }
  const truth = new Uint8Array(vector.length).fill(hasNull ? 2 : 0);
  for (let i = 0; i < truth.length; i++) {
    const bucket = buckets.get(hash(data, starts[i]!, ends[i]!));
    if (bucket?.some((text) => isText(text, data, starts[i]!, ends[i]!))) truth[i] = 1;
  }
  return withNulls(truth, vector.nulls);
}

/** `left op right` for each row. */
export function compareTexts(op: CompareOp, left: BytesVector, right: BytesVector): Truth {
  const truth = new Uint8Array(left.length);
  for (let i = 0; i < truth.length; i++) {
    const sign = order(
      left.data,
      left.starts[i]!,
      left.ends[i]!,
      right.data,
      right.starts[i]!,
      right.ends[i]!,
    );
    truth[i] = sign < 0 ? (op === "=" ? 0 : 1) : sign === 0 && op !== "<" ? 1 : 0;
  }
  return withNulls(withNulls(truth, left.nulls), right.nulls);
}
