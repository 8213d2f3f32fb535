/** Where every chunk of a view lies, as kerchunk's references say it. */
import { mapAhead } from "../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { Place, ReadOptions } from "../store/store.ts";
import type { FaceNode, Resource, ViewFace } from "../view/api.ts";

/** The bytes themselves, or the object they are in: all of it, or a part. */
export type Reference = { inline: Uint8Array } | { url: string; range?: { offset: number; length: number } };

export interface ReferenceOptions extends ReadOptions {
  /**
   * What to write for a chunk that lies at `place`, or, where that is `"here"`, can be had from this process alone;
   * `undefined`: nothing can be written. Default: the place's own URL.
   */
  refer?: ((place: Place | "here", key: string) => Reference | undefined) | undefined;
  /**
   * Bytes up to which a chunk that only the view has (cut, put together, encoded anew) is written out as it is; the
   * view's own `/meta` and coordinates always are. Default `INLINE_BYTES`.
   */
  inlineBytes?: number | undefined;
  /** Chunks that are looked up at once; default 32. */
  parallel?: number | undefined;
  /** Told how much of the view is done, 0 to 1, now and then. */
  onProgress?: ((progress: ReferenceProgress) => void) | undefined;
}

export interface ReferenceProgress {
  part: number;
  references: number;
}

/** 1 MiB. */
export const INLINE_BYTES = 2 ** 20;

const PARALLEL = 32;

/** A node of a face, or, where there is a `key`, a chunk of the node that came last. */
export interface Referenced {
  node: FaceNode;
  key?: string;
  /** `undefined`: there is no such chunk. */
  reference?: Reference | undefined;
}

/**
 * Each node of a face, followed by its chunks in the order of the grid (the last axis fastest).
 * @throws ZarrsiftError `encoding_unsupported` at a chunk that is neither in the source as it is, nor small;
 *   `source_changed`
 */
export async function* referencesOf(
  face: ViewFace,
  options: ReferenceOptions = {},
): AsyncGenerator<Referenced> {
  const progress = { part: 0, references: 0 };
  const find = async ({ node, coords, part }: Step) => {
    if (!coords) return { node, part };
    const { key, resource } = node.chunk(coords);
    return { node, part, key, reference: await referenceTo(node, key, resource, options) };
  };
  for await (const found of mapAhead(placesOf(face, options), options.parallel ?? PARALLEL, find)) {
    const { part, ...referenced } = found;
    yield referenced;
    progress.part = part;
    if (referenced.reference) progress.references++;
    options.onProgress?.(progress);
  }
  await face.verify(options);
}

/** A node, or a place in its grid, with the share of the view that ends there. */
interface Step {
  node: FaceNode;
  coords?: number[];
  part: number;
}

async function* placesOf(face: ViewFace, options: ReadOptions): AsyncGenerator<Step> {
  let before = 0;
  for await (const node of expressible(face, options)) {
    const total = node.grid?.reduce((a, b) => a * b, 1) ?? 0;
    yield { node, part: total > 0 ? before : node.part };
    let done = 0;
    for (const coords of node.grid ? coordinatesOf(node.grid) : [])
      yield { node, coords, part: before + ((node.part - before) * ++done) / total };
    before = node.part;
  }
}

async function referenceTo(
  node: FaceNode,
  key: string,
  resource: Resource,
  options: ReferenceOptions,
): Promise<Reference | undefined> {
  const { refer = toPlace, inlineBytes = INLINE_BYTES, signal } = options;
  const place = node.own ? "here" : await resource.place({ signal });
  if (place === undefined) return undefined;
  if (place !== "here") return refer(place, key);
  const bytes = await resource.read({ signal });
  if (!bytes) return undefined;
  if (node.own || bytes.length <= inlineBytes) return { inline: bytes };
  const reference = refer("here", key);
  if (reference) return reference;
  throw new ZarrsiftError(
    "encoding_unsupported",
    `The chunk ${key} of the view is not in the source as it is (several granules share a chunk there, or it is encoded ` +
      `otherwise), and its ${bytes.length} bytes are more than are written into references (${inlineBytes}): allow more ` +
      "with --inline BYTES, leave the array out with --variables, or copy with --to zarr",
    { details: { key, size: bytes.length } },
  );
}

function toPlace(place: Place | "here"): Reference | undefined {
  if (place === "here") return undefined;
  return { url: place.url, ...(place.range && { range: place.range }) };
}

/** All coordinates of a grid, the last axis fastest. */
export function* coordinatesOf(grid: readonly number[]): Generator<number[]> {
  if (grid.includes(0)) return;
  const coords = grid.map(() => 0);
  for (;;) {
    yield [...coords];
    let axis = grid.length - 1;
    while (axis >= 0 && ++coords[axis]! === grid[axis]) coords[axis--] = 0;
    if (axis < 0) return;
  }
}

/** The nodes of a face; an array that it cannot express is an error that says what to do about it here. */
export async function* expressible(face: ViewFace, options: ReadOptions): AsyncGenerator<FaceNode> {
  try {
    yield* face.nodes(options);
  } catch (error) {
    if (!isZarrsiftError(error, "encoding_unsupported") || error.details.face !== 2) throw error;
    const why = error.message.replace(/; open the v3\/ face.*$/, "");
    throw new ZarrsiftError(
      error.code,
      `${why}; ask for metadata of Zarr format 3, or leave it out of the variables`,
      {
        cause: error,
        details: error.details,
      },
    );
  }
}
