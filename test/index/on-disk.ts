import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MemoryStore } from "../../src/store/memory.ts";

/** Writes the values of a store as files below `path`. */
export async function onDisk(store: MemoryStore, path: string): Promise<string> {
  for (const key of store.keys()) {
    const file = join(path, key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, (await store.get(key))!);
  }
  return path;
}
