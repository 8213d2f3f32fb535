import { gather, slice, type Vector } from "../../table/vector.ts";

/** Some rows with the columns that an expression needs: what expressions are evaluated on. */
export class Frame {
  readonly length: number;
  readonly #vectors: Map<string, () => Vector>;
  readonly #idx: () => Float64Array;

  constructor(length: number, vectors: Map<string, () => Vector>, idx: () => Float64Array) {
    this.length = length;
    this.#vectors = vectors;
    this.#idx = idx;
  }

  /** The stored column `name`, which was asked for when the frame was made. */
  vector(name: string): Vector {
    return this.#vectors.get(name)!();
  }

  /** idx of each row. */
  idx(): Float64Array {
    return this.#idx();
  }

  /** The rows at `rows`, in that order. Columns are gathered when first looked at. */
  pick(rows: Uint32Array): Frame {
    return this.#derive(
      rows.length,
      (vector) => gather(vector, rows),
      (idx) => picked(idx, rows),
    );
  }

  /** Rows `from … to` (exclusive), sharing memory. */
  slice(from: number, to: number): Frame {
    if (from === 0 && to === this.length) return this;
    return this.#derive(
      to - from,
      (vector) => slice(vector, from, to),
      (idx) => idx.subarray(from, to),
    );
  }

  #derive(
    length: number,
    rows: (vector: Vector) => Vector,
    numbers: (idx: Float64Array) => Float64Array,
  ): Frame {
    const vectors = new Map<string, () => Vector>();
    for (const [name, vector] of this.#vectors)
      vectors.set(
        name,
        once(() => rows(vector())),
      );
    return new Frame(
      length,
      vectors,
      once(() => numbers(this.#idx())),
    );
  }
}

/** `make`, called when its value is first wanted. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** One row without columns: where constants are folded. */
export const NO_COLUMNS = new Frame(1, new Map(), () => new Float64Array(1));

function picked(idx: Float64Array, rows: Uint32Array): Float64Array {
  const out = new Float64Array(rows.length);
  for (let i = 0; i < out.length; i++) out[i] = idx[rows[i]!]!;
  return out;
}
