/** The columns of one Parquet file of references, row by row; what is null is `undefined`. */
export interface Records {
  path: (string | undefined)[];
  offset: number[];
  size: number[];
  raw: (Uint8Array | undefined)[];
}

/**
 * Reads the four columns of references.
 * @throws Error saying what is wrong
 */
export async function readRecords(bytes: Uint8Array): Promise<Records> {
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const buffer = bytes.slice().buffer;
  const file = {
    byteLength: buffer.byteLength,
    slice: (from: number, to?: number) => buffer.slice(from, to),
  };
  const rows = await parquetReadObjects({ file, compressors, utf8: false, geoparquet: false });
  const records: Records = { path: [], offset: [], size: [], raw: [] };
  for (const row of rows) {
    records.path.push(textOf(row.path));
    records.offset.push(count(row.offset));
    records.size.push(count(row.size));
    records.raw.push(bytesOf(row.raw));
  }
  return records;
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return typeof value === "string" ? value : undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return value instanceof Uint8Array ? value : undefined;
}

function count(value: unknown): number {
  const number = Number(value ?? 0);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`an offset or size is ${String(value)}`);
}
