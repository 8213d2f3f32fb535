interface Zlib {
  inflateRaw(
    bytes: Uint8Array,
    options: { chunkSize: number; maxOutputLength: number; info: true },
    done: (error: Error | null, result: { buffer: Uint8Array; engine: { bytesWritten: number } }) => void,
  ): void;
}

const zlib =
  typeof process === "undefined"
    ? undefined
    : (process.getBuiltinModule?.("node:zlib") as unknown as Zlib | undefined);

/**
 * Inflates a whole raw deflate stream (RFC 1951).
 *
 * @param size bytes that should come out
 * @throws Error for damaged input, and where more comes out
 */
export function inflateRaw(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  return zlib ? inflateNative(zlib, bytes, size) : inflateStreamed(bytes, size);
}

function inflateNative({ inflateRaw }: Zlib, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  // A buffer of the size that is expected saves copying; zlib's least is 64.
  const options = { chunkSize: Math.max(64, size), maxOutputLength: Math.max(1, size), info: true } as const;
  return new Promise((resolve, reject) => {
    inflateRaw(bytes, options, (error, result) => {
      if (error) return reject(error);
      const { buffer } = result;
      resolve(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
    });
  });
}

/** The same in a browser. */
export async function inflateStreamed(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const whole = new Uint8Array(size);
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > size) {
      await reader.cancel();
      throw new Error(`it holds more than ${size} bytes`);
    }
    whole.set(part.value, at);
    at += part.value.length;
  }
  return whole.subarray(0, at);
}
