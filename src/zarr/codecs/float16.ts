/** IEEE 754 half precision, as bit patterns in a Uint16Array. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

let table: Float32Array | undefined;

/** Every half there is, by its bits. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
  });
  return table;
}

/** Halves as singles, which hold all of them. */
export function decodeFloat16(stored: Uint16Array): Float32Array {
  const values = halves();
  const out = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) out[i] = values[stored[i]!]!;
  return out;
}

/** Rounded to the nearest half, ties to even. */
export function encodeFloat16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = halfBits(values[i]!);
  return out;
}

function halfBits(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000;
  const size = bits[0]! & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size < 0x38800000) return sign | roundEven(Math.abs(float[0]!) * 2 ** 24);
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
