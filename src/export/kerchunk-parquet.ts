/**
 * References as Parquet files, as fsspec's LazyReferenceMapper reads them: `.zmetadata` with the documents of all nodes
 * (Zarr v2) and `record_size`, and for each array `refs.0.parq`, `refs.1.parq` …, each with the places of `record_size`
 * chunks in the order of the grid.
 */
import { ZarrsiftError } from "../errors.ts";
import type { WritableStore } from "../store/writable.ts";
import type { FaceNode, ViewFace } from "../view/api.ts";
import { type Reference, type ReferenceOptions, referencesOf } from "./references.ts";

const RECORD_SIZE = 10_000;
/** Documents are all in memory at the end: `.zmetadata` is one of them. */
const MOST_NODES = 40_000;
/** Bytes of chunks that one file may hold. */
const MOST_INLINE = 256 * 2 ** 20;

const decoder = new TextDecoder();

/**
 * Writes the references of a view's v2 face. `.zmetadata` comes last: without it nothing is found.
 * @throws ZarrsiftError `too_large` for a view of very many granules, for which JSON is the better form
 */
export async function writeKerchunkParquet(
  face: ViewFace,
  target: WritableStore,
  options: ReferenceOptions = {},
): Promise<void> {
  const metadata: string[] = [];
  let array: ArrayFiles | undefined;
  for await (const { node, key, reference } of referencesOf(face, options)) {
    if (key !== undefined) {
      await array!.add(reference);
      continue;
    }
    await array?.flush();
    array = new ArrayFiles(node, target);
    for (const [name, text] of Object.entries(node.documents))
      metadata.push(`${JSON.stringify(node.path ? `${node.path}/${name}` : name)}:${decoder.decode(text)}`);
    if (metadata.length > 2 * MOST_NODES) throw tooMany();
  }
  await array?.flush();
  const text = `{"zarr_consolidated_format":1,"metadata":{${metadata.join(",\n")}},"record_size":${RECORD_SIZE}}`;
  await target.set(".zmetadata", text);
}

/** The files of an array's references. */
class ArrayFiles {
  readonly #node: FaceNode;
  readonly #target: WritableStore;
  #rows: (Reference | undefined)[] = [];
  #inline = 0;
  #written = 0;

  constructor(node: FaceNode, target: WritableStore) {
    this.#node = node;
    this.#target = target;
  }

  async add(reference: Reference | undefined): Promise<void> {
    this.#rows.push(reference);
    this.#inline += reference && "inline" in reference ? reference.inline.length : 0;
    if (this.#inline > MOST_INLINE) throw tooMuchInline(this.#node.path);
    if (this.#rows.length === RECORD_SIZE) await this.flush();
  }

  /** Writes what is not yet written. */
  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const file = `${this.#node.path}/refs.${this.#written++}.parq`;
    await this.#target.set(file, await recordFile(this.#node, this.#rows));
    this.#rows = [];
    this.#inline = 0;
  }
}

/**
 * A missing chunk is written out, where its codecs are known: pandas may read an absent path as NaN, which fsspec takes
 * for a URL.
 */
async function recordFile(node: FaceNode, rows: readonly (Reference | undefined)[]): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const fill = rows.includes(undefined) ? await node.fill() : undefined;
  const filled = rows.map((row) => row ?? (fill && { inline: fill }));
  const paths = filled.map((row) => (row && "url" in row ? row.url : null));
  const bytes = filled.map((row) => (row && "inline" in row ? row.inline : null));
  const number = (part: "offset" | "length") =>
    BigInt64Array.from(filled, (row) => BigInt((row && "url" in row && row.range?.[part]) || 0));
  const columnData = [
    { name: "path", data: paths, type: "STRING" as const, nullable: true },
    { name: "offset", data: number("offset"), type: "INT64" as const, nullable: false },
    { name: "size", data: number("length"), type: "INT64" as const, nullable: false },
    // Counts of nulls in the statistics: without them fastparquet takes these integers for floats.
    { name: "raw", data: bytes, type: "BYTE_ARRAY" as const, nullable: true, statistics: false },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function tooMany(): ZarrsiftError {
  return new ZarrsiftError(
    "too_large",
    `The view has more than ${MOST_NODES} groups and arrays, and Parquet references hold the metadata of all in one ` +
      "document: write JSON references (a name that ends with .json), or make a stacked view",
  );
}

function tooMuchInline(path: string): ZarrsiftError {
  return new ZarrsiftError(
    "too_large",
    `Chunks of /${path} that are not in the source as they are take more than ${MOST_INLINE} bytes in one Parquet file: ` +
      "leave the array out with --variables, or copy with --to zarr",
    { details: { path: `/${path}` } },
  );
}
