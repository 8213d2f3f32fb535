/** Numbers as text. */

/** The smallest float32 of full precision: from there on six digits always read back as themselves. */
const NORMAL = 2 ** -126;

const single = new Float32Array(1);

/**
 * The shortest decimal that reads back as the same float of `bits`: 0.1 for the float32 next to 0.1, whose exact
 * value is 0.100000001490116…. ±Infinity and NaN are spelt so.
 */
export function floatText(value: number, bits: 16 | 32 | 64): string {
  if (bits === 64 || !Number.isFinite(value)) return String(value);
  return String(Number(shortest(value, bits)));
}

/** float16 values lie among the float32 ones; what reads back to them there reads back anywhere. */
function shortest(value: number, bits: 16 | 32): string {
  for (let digits = bits === 16 || Math.abs(value) < NORMAL ? 1 : 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    single[0] = Number(text);
    if (single[0] === value) return text;
  }
  return value.toPrecision(9);
}
