import { FlatTable } from "./flatbuffer.ts";

/** "ICE🧊CHUNK", the writer's name, format, kind of file, compression (0: none, 1: zstd). */
const HEADER = { bytes: 39, compression: 38 };
/** Field `config` of table `Repo` in Icechunk's schema. */
const REPO_CONFIG = 9;

/** What is behind the header of one of Icechunk's own files: a FlatBuffer. */
export async function unpackFile(bytes: Uint8Array): Promise<Uint8Array> {
  const body = bytes.subarray(HEADER.bytes);
  if (bytes[HEADER.compression] !== 1) return body;
  return (await zstd()).decode(body);
}

/**
 * The file `repo` of format 2 without the configuration that is kept in it, which says how to write, and where virtual
 * chunks may be; a build of Icechunk that does not know such a place refuses the repository.
 */
export async function repoWithoutConfig(bytes: Uint8Array): Promise<Uint8Array> {
  const body = (await unpackFile(bytes)).slice();
  FlatTable.root(body).drop(REPO_CONFIG);
  // Icechunk takes this file with compression only.
  const packed = await (await zstd()).encode(body);
  const whole = new Uint8Array(HEADER.bytes + packed.length);
  whole.set(bytes.subarray(0, HEADER.bytes));
  whole[HEADER.compression] = 1;
  whole.set(packed, HEADER.bytes);
  return whole;
}

async function zstd() {
  const { default: Zstd } = await import("numcodecs/zstd");
  return Zstd.fromConfig({ id: "zstd", level: 1 });
}
