import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCollection } from "../../src/index.ts";
import { LiveViews } from "../../src/server/live-views.ts";
import { type NewView, ViewsStore } from "../../src/server/views-store.ts";
import type { ViewDefinition } from "../../src/view/api.ts";
import { tinyCollection } from "../view/tiny.ts";
import { kill, runChild } from "./child.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-views-"));
afterAll(() => rmSync(folder, { recursive: true }));

function made(id: string): [NewView, ViewDefinition] {
  const about = { id, version: "v1", layout: "granules" as const, count: 2, skipped: 0 };
  return [
    { ...about, collection: "c", sql: `SELECT '${id}'`, fields: ["idx", "é"] },
    { ...about, collection: "c", sql: `SELECT '${id}'`, idx: "AAA=" },
  ];
}

async function openAt(file = ":memory:") {
  const clock = { now: 1_000_000 };
  const store = await ViewsStore.open(file, () => clock.now);
  return { store, clock };
}

describe("the views' store", () => {
  it("gives back what it was given", async () => {
    const { store } = await openAt();
    const [view, definition] = made("a");
    expect(store.put(view, definition, undefined)).toBe(true);
    expect(store.get("a")).toEqual({ ...view, created: 1_000_000, expires: null, used: 1_000_000 });
    expect(store.definition("a")).toEqual(definition);
    expect([store.get("b"), store.definition("b")]).toEqual([undefined, undefined]);
  });

  it("lets views expire", async () => {
    const { store, clock } = await openAt();
    store.put(...made("a"), 500);
    store.put(...made("b"), undefined);
    clock.now += 499;
    expect(store.get("a")).toBeDefined();
    clock.now += 1;
    expect([store.get("a"), store.definition("a"), store.count(), store.delete("a")]).toEqual([
      undefined,
      undefined,
      1,
      false,
    ]);
    expect(store.list(10).views.map(({ id }) => id)).toEqual(["b"]);
    expect(store.put(...made("a"), 500)).toBe(true);
  });

  it("knows for a while when views that are no more were first made, where that matters", async () => {
    const { store, clock } = await openAt();
    const madeAt = (id: string, at?: number): [NewView, ViewDefinition] => {
      const [view, definition] = made(id);
      return [view, at === undefined ? definition : { ...definition, made: at }];
    };
    store.put(...madeAt("a", 77), 500);
    store.put(...madeAt("b", 88), undefined);
    store.put(...madeAt("pinned"), 500);
    expect(store.pastMade("a")).toBeUndefined();
    clock.now += 500;
    expect(["a", "b", "pinned"].map((id) => store.pastMade(id))).toEqual([77, undefined, undefined]);
    store.put(...madeAt("a", 99), undefined);
    store.delete("a");
    store.delete("b");
    expect(["a", "b"].map((id) => store.pastMade(id))).toEqual([77, 88]);
    clock.now += 31 * 86_400_000;
    expect(["a", "b"].map((id) => store.pastMade(id))).toEqual([undefined, undefined]);
  });

  it("keeps a view that is made again for the longer time", async () => {
    const { store } = await openAt();
    store.put(...made("a"), 500);
    expect(store.put(...made("a"), 900)).toBe(false);
    expect(store.get("a")!.expires).toBe(1_000_900);
    store.put(...made("a"), 100);
    expect(store.get("a")!.expires).toBe(1_000_900);
    store.put(...made("a"), undefined);
    expect(store.get("a")!.expires).toBeNull();
    store.put(...made("a"), 100);
    expect(store.get("a")!.expires).toBeNull();
  });

  it("deletes", async () => {
    const { store } = await openAt();
    store.put(...made("a"), undefined);
    expect([store.delete("a"), store.delete("a"), store.get("a")]).toEqual([true, false, undefined]);
  });

  it("pages without leaving out or repeating, while views come and go", async () => {
    const { store } = await openAt();
    for (let i = 0; i < 7; i++) store.put(...made(`v${i}`), undefined);
    const first = store.list(3);
    store.delete("v1");
    store.delete("v4");
    store.put(...made("v7"), undefined);
    const second = store.list(3, first.next);
    const third = store.list(3, second.next);
    const ids = [first, second, third].map((page) => page.views.map(({ id }) => id));
    expect(ids).toEqual([["v0", "v1", "v2"], ["v3", "v5", "v6"], ["v7"]]);
    expect(third.next).toBeUndefined();
    expect(store.list(6).next).toBeUndefined();
  });

  it("remembers across processes, killed ones too", async () => {
    const file = join(folder, "killed.sqlite");
    const { child } = await runChild(`
      const { ViewsStore } = await load("/src/server/views-store.ts");
      const store = await ViewsStore.open(${JSON.stringify(file)});
      store.put(...${JSON.stringify(made("kept"))}, undefined);
      process.stdout.write("put");
      setInterval(() => {}, 1000);`);
    await kill(child, "SIGKILL");
    const store = await ViewsStore.open(file);
    expect(store.definition("kept")).toEqual(made("kept")[1]);
    store.check();
    store.close();
  });

  it("says why a file cannot be opened", async () => {
    await expect(ViewsStore.open(join(folder, "not", "there.sqlite"))).rejects.toThrow(
      /Cannot open the views' file .*there\.sqlite/,
    );
  });
});

describe("open views", () => {
  const opened = async (file: string) => {
    const source = await tinyCollection([{ path: "g", arrays: { sst: {} } }]);
    const collection = await openCollection(source, { name: "tiny" });
    const store = await ViewsStore.open(file);
    const live = new LiveViews(store, new Map([["tiny", collection]]), 1e6);
    const view = await collection.view("SELECT idx FROM meta");
    live.add(view, undefined);
    return { store, live, id: view.id };
  };

  it("are gone once another process has deleted them", async () => {
    const file = join(folder, "shared.sqlite");
    const { store, live, id } = await opened(file);
    const other = await ViewsStore.open(file);
    expect(other.delete(id)).toBe(true);
    expect(live.peek(id)).toBeUndefined();
    expect(await live.get(id, new AbortController().signal)).toBeUndefined();
    for (const one of [store, other]) one.close();
  });

  it("answer though their use cannot be noted", async () => {
    const { store, live, id } = await opened(":memory:");
    store.touch = () => {
      throw new Error("database or disk is full");
    };
    expect(live.peek(id)?.view.id).toBe(id);
  });
});

it("a file that is no database is named", async () => {
  const file = join(folder, "other.sqlite");
  writeFileSync(file, "no database at all".repeat(100));
  await expect(ViewsStore.open(file)).rejects.toThrow(/other\.sqlite: .*not a database.*--state-dir/);
});
