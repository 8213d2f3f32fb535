import { joined } from "../../joined.ts";
import { asNumber, type JsonObject } from "../json.ts";
import { type BytesCodec, MOST_BYTES, unknownSize } from "./codec.ts";
import { compressNative, type NativeZlib, nativeZlib, runNative } from "./native-zlib.ts";

/** RFC 1952 `gzip` or RFC 1950 `zlib`, through node:zlib, or the browser's own streams where there is none. */
export function deflateCodec(format: "gzip" | "zlib", configuration: JsonObject): BytesCodec {
  const level = asNumber(configuration.level) ?? 5;
  return {
    kind: "bytes",
    encodedSize: unknownSize,
    decode: (bytes, size) => inflate(format, bytes, size),
    encode: (bytes) => {
      if (!nativeZlib) return streamed(bytes, new CompressionStream(streamName(format)), MOST_BYTES);
      return compressNative(format === "gzip" ? nativeZlib.gzip : nativeZlib.deflate, bytes, { level });
    },
  };
}

/** @throws Error for damaged input, input after the end, and more output than `size` (`MOST_BYTES` where not known) */
export function inflate(
  format: "gzip" | "zlib",
  bytes: Uint8Array,
  size: number | undefined,
  native: NativeZlib | null = nativeZlib,
): Promise<Uint8Array> {
  if (native)
    return runNative(format === "gzip" ? native.gunzip : native.inflate, bytes, size, size ?? MOST_BYTES);
  return streamed(bytes, new DecompressionStream(streamName(format)), size ?? MOST_BYTES);
}

function streamName(format: "gzip" | "zlib"): "gzip" | "deflate" {
  return format === "gzip" ? "gzip" : "deflate";
}

async function streamed(
  bytes: Uint8Array,
  through: GenericTransformStream,
  most: number,
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = (
    source.pipeThrough(through as ReadableWritablePair) as ReadableStream<Uint8Array>
  ).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error(`it holds more than ${most} bytes`);
    }
    parts.push(part.value);
  }
  return joined(parts, new Uint8Array(length));
}
