/** The parts of node:zlib that are used; `zstd…` from Node 22.15 on. */
export interface NativeZlib {
  inflate: Run;
  gunzip: Run;
  deflate: Run;
  gzip: Run;
  zstdDecompress?: Run;
  zstdCompress?: Run;
  constants: Record<string, number>;
}

interface Options {
  level?: number;
  chunkSize?: number;
  maxOutputLength?: number;
  params?: Record<number, number>;
  info?: boolean;
  pledgedSrcSize?: number;
}

type Done = (error: Error | null, result: Uint8Array | WithEngine) => void;
type Run = (bytes: Uint8Array, options: Options, done: Done) => void;

/** What comes with `info: true`. */
interface WithEngine {
  buffer: Uint8Array;
  engine: { bytesWritten: number };
}

/** node:zlib where this runs in Node; a browser has none. */
export const nativeZlib: NativeZlib | null =
  typeof process === "undefined"
    ? null
    : ((process.getBuiltinModule?.("node:zlib") as unknown as NativeZlib) ?? null);

/** node:zlib's buffers start at 64 bytes; one of the size that is expected saves the copying. */
const chunkSizeOf = (size: number | undefined) => Math.min(Math.max(size ?? 2 ** 17, 64), 2 ** 28);

/**
 * Decompresses the whole of `bytes`.
 *
 * @param size How many bytes must come out, where known.
 * @param most More output than this is an error.
 * @throws Error when the input is damaged, goes on after its end, or holds more than `most`
 */
export function runNative(
  run: Run,
  bytes: Uint8Array,
  size: number | undefined,
  most: number,
): Promise<Uint8Array> {
  const options = { chunkSize: chunkSizeOf(size), maxOutputLength: Math.max(most, 1), info: true };
  return new Promise((resolve, reject) => {
    run(bytes, options, (error, result) => {
      if (error) return reject(error);
      const { buffer, engine } = result as WithEngine;
      if (engine.bytesWritten !== bytes.length)
        return reject(new Error("there are more bytes after the compressed data"));
      resolve(plain(buffer));
    });
  });
}

/** Compresses `bytes`. */
export function compressNative(run: Run, bytes: Uint8Array, options: Options): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    run(bytes, options, (error, result) => (error ? reject(error) : resolve(plain(result as Uint8Array))));
  });
}

/** Not a Buffer, whose `slice` shares memory where a Uint8Array's copies. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
