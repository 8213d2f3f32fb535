/** Builders that end at each of their writes in turn: what is there then is never wrong, and the next one succeeds. */
import { describe, expect, it } from "vitest";
import { buildIndexes } from "../../../src/index/build/build.ts";
import { checkIndexes } from "../../../src/index/build/check.ts";
import { dropIndexes } from "../../../src/index/build/drop.ts";
import { openIndexes } from "../../../src/index/open.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import { openTable } from "../../../src/table/open.ts";
import { Hierarchy } from "../../../src/zarr/hierarchy.ts";
import { writeJson } from "../../../src/zarr/json.ts";
import { putColumn } from "../source.ts";
import { askAll, columnsOf, cut, lengthen, sourceOf } from "./kit.ts";

/** Fails at one of its writes, and at all that follow: as if its process had been killed. */
class MortalStore extends MemoryStore {
  left = Number.POSITIVE_INFINITY;

  override set(key: string, value: Uint8Array | string): void {
    if (--this.left < 0) throw new Error("killed");
    super.set(key, value);
  }

  override delete(key: string): void {
    if (--this.left < 0) throw new Error("killed");
    super.delete(key);
  }
}

async function copyOf(store: MemoryStore): Promise<MortalStore> {
  const copy = new MortalStore();
  for (const key of store.keys()) copy.set(key, (await store.get(key))!);
  return copy;
}

/** Writes of `work`, undisturbed. */
async function writesOf(base: MemoryStore, work: (store: MortalStore) => Promise<unknown>): Promise<number> {
  const store = await copyOf(base);
  store.left = 1e9;
  await work(store);
  return 1e9 - store.left;
}

/** `work` killed at each write, or each `step`-th; `then` looks at what is there. */
async function atEachWrite(
  base: MemoryStore,
  step: number,
  work: (store: MortalStore) => Promise<unknown>,
  then: (store: MortalStore, writes: number) => Promise<void>,
): Promise<void> {
  const writes = await writesOf(base, work);
  expect(writes).toBeGreaterThan(10);
  for (let left = 0; left < writes; left += step) {
    const store = await copyOf(base);
    store.left = left;
    await expect(work(store)).rejects.toThrow("killed");
    store.left = Number.POSITIVE_INFINITY;
    await then(store, left);
  }
}

const keysOf = (store: MemoryStore) =>
  [...store.keys()].map((key) => key.replace(/\/b[0-9a-f]{16}(?=\/)/, "/B")).sort();

/** Whole, and as a build that was not disturbed leaves it. */
async function expectBuilt(store: MortalStore, rows: number): Promise<void> {
  const answers = await askAll(store);
  expect(Object.values(answers.states)).toEqual(Array(5).fill("verified"));
  expect(Object.values(answers.covered)).toEqual(Array(5).fill(rows));
  expect((await checkIndexes(store, store)).filter(({ problem }) => problem)).toEqual([]);
}

/** Root attributes and consolidated metadata as zarr-python writes them. */
function consolidateRoot(store: MemoryStore): void {
  const meta = { zarr_format: 3, node_type: "group", attributes: {} };
  store.set(
    "zarr.json",
    writeJson({
      ...meta,
      consolidated_metadata: { kind: "inline", must_understand: false, metadata: { meta } },
    }),
  );
}

describe.each([
  [3, false, 3],
  [3, true, 7],
  [2, false, 7],
] as const)("a v%i source, its root's metadata consolidated: %s", (format, consolidated, step) => {
  const make = async (rows: number) => {
    const store = await sourceOf(rows, { format });
    if (consolidated) consolidateRoot(store);
    return store;
  };
  const expectSame = async (store: MortalStore, undisturbed: MemoryStore) => {
    const ignore = (keys: string[]) => keys.filter((key) => !/bbox\/c[/.]/.test(key));
    expect(ignore(keysOf(store))).toEqual(ignore(keysOf(undisturbed)));
  };

  it("is as good as before when its first build is killed", async () => {
    const base = await make(90);
    const whole = await copyOf(base);
    await buildIndexes(whole, whole);
    await atEachWrite(
      base,
      step,
      (store) => buildIndexes(store, store),
      async (store, left) => {
        await askAll(store);
        if (left % (5 * step) > 0) return;
        await buildIndexes(store, store);
        await expectBuilt(store, 90);
        await expectSame(store, whole);
      },
    );
  });

  it("keeps its indexes when the build for added rows is killed", async () => {
    const base = await make(90);
    await buildIndexes(base, base);
    await lengthen(base, 130, { format });
    await atEachWrite(
      base,
      step,
      (store) => buildIndexes(store, store),
      async (store, left) => {
        const { states, covered, warnings } = await askAll(store);
        expect(warnings).toEqual([]);
        for (const [column, rows] of Object.entries(covered)) expect([80, 130], column).toContain(rows);
        // v2 has one place for a tree alone.
        if (format === 2) delete states.bbox;
        for (const [column, state] of Object.entries(states)) expect(state, column).toBe("verified");
        if (format === 3) expect(Object.keys(states)).toHaveLength(5);
        if (left % (5 * step) > 0) return;
        await buildIndexes(store, store);
        await expectBuilt(store, 130);
      },
    );
  });

  it("is never wrong when the build for a changed column is killed, and another change follows", async () => {
    const base = await make(90);
    await buildIndexes(base, base);
    await putColumn(base, "bbox", cut(columnsOf(1000, 7), 90).bbox!, 40, format);
    await atEachWrite(
      base,
      step,
      (store) => buildIndexes(store, store),
      async (store) => {
        await askAll(store);
        await putColumn(store, "bbox", cut(columnsOf(1000, 8), 90).bbox!, 40, format);
        expect((await askAll(store)).states.bbox ?? "stale").toBe("stale");
        await buildIndexes(store, store);
        await expectBuilt(store, 90);
      },
    );
  });

  it("is never wrong when indexes are dropped half, and columns change", async () => {
    const base = await make(90);
    await buildIndexes(base, base);
    await atEachWrite(
      base,
      step,
      (store) => dropIndexes(store),
      async (store) => {
        await putColumn(store, "bbox", cut(columnsOf(1000, 8), 90).bbox!, 40, format);
        const table = await openTable(await Hierarchy.open(store), store);
        const set = await openIndexes(store, await Hierarchy.open(store), table);
        for (const index of set.indexes)
          if (index.column === "bbox") expect((await index.state()).state).toBe("stale");
        await dropIndexes(store);
        await buildIndexes(store, store);
        await expectBuilt(store, 90);
      },
    );
  });
});
