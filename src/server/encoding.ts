/** gzip for metadata, only where the client asks for it. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

/** Below this many bytes gzip saves nothing worth its time. */
const SMALL = 512;

/** Whether Accept-Encoding prefers gzip to identity (RFC 9110, 12.5.3: q-values, `*`, absence means identity). */
export function acceptsGzip(header: string | undefined): boolean {
  if (!header) return false;
  const weights = new Map<string, number>();
  for (const item of header.split(",")) {
    const [coding, ...parameters] = item
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const q = parameters.find((p) => p.startsWith("q="));
    weights.set(coding!, q ? Number(q.slice(2)) || 0 : 1);
  }
  const gzipQ = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return gzipQ > 0 && gzipQ >= (weights.get("identity") ?? 0);
}

/** The gzip form of `bytes`; `undefined` where it would not be smaller. */
export async function gzipped(bytes: Buffer): Promise<Buffer | undefined> {
  if (bytes.length < SMALL) return undefined;
  const small = await compress(bytes);
  return small.length < bytes.length ? small : undefined;
}
