/** Chunks that are read into the caller's memory are those that are read otherwise, of shards and stacks too. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { open } from "../../src/index.ts";
import type { Face, FaceNode, Resource } from "../../src/view/api.ts";

const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const MOST_NODES = 60;
const memory = new Uint8Array(2 ** 24);

/** The first chunk of each array, and the last, with what they are of. */
async function* chunks(nodes: AsyncIterable<FaceNode>): AsyncGenerator<{ key: string; resource: Resource }> {
  let left = MOST_NODES;
  for await (const { grid, chunk } of nodes) {
    if (left-- === 0) return;
    if (!grid || grid.includes(0)) continue;
    yield chunk(grid.map(() => 0));
    yield chunk(grid.map((count) => count - 1));
  }
}

async function sameInto(key: string, resource: Resource): Promise<boolean> {
  if (!resource.readInto) return false;
  const give = (length: number) => memory.subarray(7, 7 + length);
  const whole = await resource.read();
  memory.fill(171, 0, 8 + (whole?.length ?? 0));
  expect(await resource.readInto(undefined, give), key).toEqual(whole);
  if (!whole) return false;
  expect([memory[6], memory[7 + whole.length]], key).toEqual([171, 171]);
  for (const [offset, length] of [
    [0, 1],
    [whole.length >> 1, whole.length >> 2],
  ] as const) {
    const part = await resource.readInto({ offset, length }, give);
    expect(part, key).toEqual(whole.slice(offset, offset + length));
    expect(part!.buffer, key).toBe(memory.buffer);
  }
  return true;
}

describe.skipIf(!existsSync(DATA)).each([
  ["granules.zarr", "granules", 3],
  ["granules.zarr", "granules", 2],
  ["stacked.zarr", "stacked", 3],
] as const)("%s, layout %s, v%d", (name, layout, face: Face) => {
  test("chunks and ranges of them", async () => {
    const collection = await open(`${DATA}${name}`);
    const view = await collection.view("SELECT idx FROM meta ORDER BY idx % 7, idx LIMIT 8", { layout });
    let seen = 0;
    for await (const { key, resource } of chunks(view.face(face).nodes())) {
      if (await sameInto(key, resource)) seen++;
    }
    expect(seen).toBeGreaterThan(5);
    await collection.close();
  });
});
