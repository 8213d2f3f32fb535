/** Three-valued logic on columns of truth: 0 false, 1 true, 2 NULL; and 3 where that is not known yet. */
import type { Frame } from "./frame.ts";

export type Truth = Uint8Array;
export type TruthFn = (frame: Frame) => Truth;

export const [FALSE, TRUE, NULL, OPEN] = [0, 1, 2, 3] as const;

/** `truth` with NULL where `nulls` says so; in place. */
export function withNulls(truth: Truth, nulls: Uint8Array | undefined): Truth {
  if (nulls) for (let i = 0; i < truth.length; i++) if (nulls[i]) truth[i] = NULL;
  return truth;
}

/** NOT, in place. */
export function not(truth: Truth): Truth {
  for (let i = 0; i < truth.length; i++) if (truth[i]! <= TRUE) truth[i] = 1 - truth[i]!;
  return truth;
}

/** Positions where `truth` is (or, `negated`, is not) `value`. */
export function positions(truth: Truth, value: number, negated = false): Uint32Array {
  const rows = new Uint32Array(truth.length);
  let count = 0;
  for (let i = 0; i < truth.length; i++) {
    rows[count] = i;
    count += Number((truth[i] === value) !== negated);
  }
  return rows.slice(0, count);
}

/**
 * AND (`decisive` FALSE) or OR (`decisive` TRUE) of `operands`: each is evaluated only where those before it
 * left the answer open.
 */
export function combine(operands: readonly TruthFn[], decisive: 0 | 1): TruthFn {
  return (frame) => {
    const truth = operands[0]!(frame);
    for (const operand of operands.slice(1)) {
      const open = positions(truth, decisive, true);
      if (open.length === 0) break;
      const more = operand(open.length === frame.length ? frame : frame.pick(open));
      for (let i = 0; i < open.length; i++) {
        const row = open[i]!;
        // What neither side decides is open where either is, else NULL where either is.
        truth[row] = more[i] === decisive ? decisive : Math.max(truth[row]!, more[i]!);
      }
    }
    return truth;
  };
}
