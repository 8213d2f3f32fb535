import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zarr from "zarrita";
import { COPY_TEMPORARY, type Copied, type CopyOptions, copyZarr, NOTE } from "../../src/export/copy.ts";
import { copyIcechunk } from "../../src/export/copy-icechunk.ts";
import { open } from "../../src/index.ts";
import { WritableDirectory } from "../../src/store/file-write.ts";
import { S3Store } from "../../src/store/http/s3.ts";
import { WritableS3 } from "../../src/store/http/s3-write.ts";
import { loadIcechunk } from "../../src/store/icechunk/load.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { WritableStore } from "../../src/store/writable.ts";
import type { Face, ViewOptions } from "../../src/view/api.ts";
import type { View } from "../../src/view/view.ts";
import { kill, runChild } from "../server/child.ts";
import { KEYS, noS3Server, S3Server } from "../store/s3-server.ts";
import { DATA, makeV2, noPython, PYTHON, readBack } from "./python.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-copy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GRANULES = `${DATA}granules.zarr`;
const STACKED = `${DATA}stacked.zarr`;
const ASCAT = "SELECT * FROM meta WHERE collection LIKE 'ASCAT%' LIMIT 6";
let made = 0;
const noIcechunk = await loadIcechunk().then(
  () => false,
  () => true,
);

/** Where the granules of some of a view's rows are. */
async function locations(view: View, ...rows: number[]): Promise<string[]> {
  const array = await zarr.open.v3(zarr.root(view.store(3)).resolve("meta/array_location"), {
    kind: "array",
  });
  const { data } = await zarr.get(array);
  return rows.map((row) => (data as string[])[row]!.slice(1));
}

async function directory(name = `${++made}.zarr`): Promise<{ path: string; target: WritableDirectory }> {
  const path = join(folder, name);
  await WritableDirectory.create(path);
  return { path, target: new WritableDirectory(path, COPY_TEMPORARY) };
}

async function copy(
  source: string,
  sql: string,
  format: Face,
  target: WritableStore,
  options: ViewOptions & CopyOptions = {},
): Promise<Copied> {
  const { parallel, onProgress, ...view } = options;
  if (options.signal) setMaxListeners(0, options.signal);
  const collection = await open(source);
  try {
    return await copyZarr(await collection.view(sql, view), format, target, options);
  } finally {
    await collection.close();
  }
}

/** What all files below a directory hold, hashed, by path. */
function filesOf(root: string, inside = ""): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(root, inside), { withFileTypes: true })) {
    const path = inside ? `${inside}/${entry.name}` : entry.name;
    if (entry.isFile())
      files.set(
        path,
        createHash("sha256")
          .update(readFileSync(join(root, path)))
          .digest("hex"),
      );
    else for (const [name, bytes] of filesOf(root, path)) files.set(name, bytes);
  }
  return files;
}

describe.skipIf(!existsSync(GRANULES))("copies of real granules", () => {
  const cases: [string, string, string, Face, ViewOptions, number[]?][] = [
    ["all granules", GRANULES, "SELECT * FROM meta", 3, {}],
    ["granules", GRANULES, ASCAT, 2, {}],
    ["granules of Icechunk", `${DATA}granules-spec1.icechunk`, ASCAT, 3, {}],
    ["chosen variables", GRANULES, ASCAT, 3, { variables: ["lat", "wind_speed"] }],
    ["stacked", STACKED, "SELECT * FROM meta WHERE idx IN (3, 9, 30)", 3, { layout: "stacked" }, [3, 9, 30]],
    ["stacked", STACKED, "SELECT * FROM meta WHERE idx IN (3, 9, 30)", 2, { layout: "stacked" }, [3, 9, 30]],
    ["nothing", GRANULES, "SELECT * FROM meta WHERE false", 3, {}],
  ];
  it.skipIf(noPython).each(cases)(
    "%s %s are read by zarr-python (%#)",
    async (what, source, sql, format, view, idx) => {
      const { path, target } = await directory();
      const copied = await copy(source, sql, format, target, view);
      expect(copied).toMatchObject({ part: 1, kept: 0, consolidated: true });
      const read = await readBack(`zarr${format}`, path, source, idx);
      expect(read).toMatchObject({ different: [], consolidated: true });
      expect(read.equal > 0).toBe(what !== "nothing");
      if (idx) expect(read.dims).toEqual({ granule: idx.length, row: 160, cell: 42 });
      expect(readdirSync(path)).not.toContain(".zarrsift-export");
    },
  );

  it("hold the source's own bytes, and no more", async () => {
    const { path, target } = await directory();
    await copy(GRANULES, ASCAT, 3, target);
    const [files, source] = [filesOf(path), filesOf(GRANULES)];
    const chunks = [...files].filter(([name]) => !name.startsWith("meta/") && !name.endsWith("zarr.json"));
    expect(chunks.length).toBeGreaterThan(60);
    for (const [name, bytes] of chunks) expect(bytes).toBe(source.get(name));
  });

  it.skipIf(noPython)("have the consolidated metadata that zarr-python would write", async () => {
    const { path, target } = await directory();
    await copy(GRANULES, ASCAT, 3, target);
    const own = JSON.parse(readFileSync(join(path, "zarr.json"), "utf8")).consolidated_metadata;
    execFileSync(
      PYTHON,
      ["-c", "import sys, zarr; zarr.consolidate_metadata(sys.argv[1], zarr_format=3)", path],
      {
        stdio: "ignore",
      },
    );
    const theirs = JSON.parse(readFileSync(join(path, "zarr.json"), "utf8")).consolidated_metadata;
    expect(own).toMatchObject({ kind: theirs.kind, must_understand: theirs.must_understand });
    expect(Object.keys(own.metadata).sort()).toEqual(Object.keys(theirs.metadata).sort());
    for (const [name, node] of Object.entries<Record<string, unknown>>(own.metadata))
      expect(theirs.metadata[name]).toMatchObject({ node_type: node.node_type, attributes: node.attributes });
  });

  it("that are stopped go on where they were, and end the same", async () => {
    const whole = await directory();
    await copy(GRANULES, ASCAT, 3, whole.target);
    const { path, target } = await directory();
    let kept = 0;
    for (const after of [5, 40, 150]) {
      const controller = new AbortController();
      const onProgress = ({ chunks, kept: already }: { chunks: number; kept: number }) => {
        if (chunks + already >= after) controller.abort(new Error("stopped"));
      };
      const options = { signal: controller.signal, onProgress };
      const stopped = copy(GRANULES, ASCAT, 3, target, options);
      await expect(stopped).rejects.toThrow("stopped");
      expect(existsSync(join(path, "zarr.json"))).toBe(false);
    }
    const last = await copy(GRANULES, ASCAT, 3, target, { onProgress: (now) => (kept = now.kept) });
    expect(kept).toBeGreaterThanOrEqual(150);
    expect(last.kept + last.chunks).toBe((await copy(GRANULES, ASCAT, 3, (await directory()).target)).chunks);
    expect(filesOf(path)).toEqual(filesOf(whole.path));
  });

  it("that are killed leave no half of anything, and go on", async () => {
    const whole = await directory();
    await copy(GRANULES, "SELECT * FROM meta", 3, whole.target);
    const complete = filesOf(whole.path);
    const { path, target } = await directory();
    const code = `
      const { open } = await load("/src/index.ts");
      const { copyZarr } = await load("/src/export/copy.ts");
      const { WritableDirectory } = await load("/src/store/file-write.ts");
      const view = await (await open(${JSON.stringify(GRANULES)})).view("SELECT * FROM meta");
      const target = new WritableDirectory(${JSON.stringify(path)}, ${JSON.stringify(COPY_TEMPORARY)});
      let told = false;
      await copyZarr(view, 3, target, { onProgress: ({ chunks }) => {
        if (chunks > 100 && !told) { told = true; console.log("running"); }
      } });`;
    const { child } = await runChild(code);
    await kill(child, "SIGKILL");
    const left = filesOf(path);
    expect(left.size).toBeGreaterThan(100);
    expect(left.size).toBeLessThan(complete.size);
    for (const [name, bytes] of left)
      if (!name.startsWith(".zarrsift-export/")) expect(bytes).toBe(complete.get(name));
    const { kept } = await copy(GRANULES, "SELECT * FROM meta", 3, target);
    expect(kept).toBeGreaterThan(90);
    expect(filesOf(path)).toEqual(complete);
  });

  it("never mix two views, nor go where something else is", async () => {
    const { path, target } = await directory();
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("stopped"));
    await expect(copy(GRANULES, ASCAT, 3, target, { signal: stop.signal, onProgress })).rejects.toThrow(
      "stopped",
    );
    await expect(copy(GRANULES, "SELECT idx FROM meta", 3, target)).rejects.toThrow(
      /beginning of another copy/,
    );
    await expect(copy(GRANULES, ASCAT, 2, target)).rejects.toThrow(/beginning of another copy/);
    expect(await copy(GRANULES, ASCAT, 3, target)).toMatchObject({ already: false });
    await expect(copy(GRANULES, `${ASCAT} OFFSET 1`, 3, target)).rejects.toThrow(/not empty/);
    await expect(copy(GRANULES, ASCAT, 2, target)).rejects.toThrow(/not empty/);
    expect(existsSync(join(path, "zarr.json"))).toBe(true);
  });

  it.each([2, 3] as const)(
    "that are complete are known again, and left as they are (v%i)",
    async (format) => {
      const { path, target } = await directory();
      const view = { layout: "stacked", groupBy: "encoding" } as const;
      await copy(GRANULES, ASCAT, format, target, view);
      const complete = filesOf(path);
      const again = await copy(GRANULES, ASCAT, format, target, view);
      expect(again).toMatchObject({ already: true, part: 1, chunks: 0, kept: 0, consolidated: true });
      expect(filesOf(path)).toEqual(complete);
      await expect(copy(GRANULES, ASCAT.replace("6", "5"), format, target, view)).rejects.toThrow(
        /not empty/,
      );
    },
  );

  it.each([2, 3] as const)(
    "that are complete are known where no metadata is consolidated, too, and go on after a stop (v%i)",
    async (format) => {
      const { path, target } = await directory();
      const collection = await open(GRANULES, { name: "granules", consolidatedNodes: 10 });
      const view = (sql: string) => collection.view(sql, { variables: ["wind_speed"] });
      const stop = new AbortController();
      const onProgress = ({ chunks }: { chunks: number }) => {
        if (chunks > 5) stop.abort(new Error("stopped"));
      };
      const stopped = copyZarr(await view(ASCAT), format, target, { signal: stop.signal, onProgress });
      await expect(stopped).rejects.toThrow("stopped");
      const rest = await copyZarr(await view(ASCAT), format, target);
      expect(rest).toMatchObject({ already: false, consolidated: false });
      expect(rest.kept).toBeGreaterThan(4);
      const complete = filesOf(path);
      const again = await copyZarr(await view(ASCAT), format, target);
      expect(again).toMatchObject({ already: true, part: 1, chunks: 0, kept: 0, consolidated: false });
      expect(filesOf(path)).toEqual(complete);
      for (const other of [
        view(ASCAT.replace("6", "5")),
        view(`${ASCAT} OFFSET 1`),
        collection.view(ASCAT, { variables: ["wind_dir"] }),
      ])
        await expect(copyZarr(await other, format, target)).rejects.toThrow(/not empty/);
      await collection.close();
    },
  );

  it("go on with no granule that has other metadata by then", async () => {
    const source = join(folder, "replaced.zarr");
    cpSync(GRANULES, source, { recursive: true });
    const { target } = await directory();
    const stop = new AbortController();
    const onProgress = ({ chunks }: { chunks: number }) => {
      if (chunks > 90) stop.abort(new Error("stopped"));
    };
    const stopped = copy(source, ASCAT, 3, target, { signal: stop.signal, onProgress });
    await expect(stopped).rejects.toThrow("stopped");
    const collection = await open(source);
    const [first] = await locations(await collection.view(ASCAT), 0);
    await collection.close();
    const document = join(source, first!, "wind_speed/zarr.json");
    writeFileSync(
      document,
      readFileSync(document, "utf8").replace('"scale_factor": 0.01', '"scale_factor": 0.02'),
    );
    await expect(copy(source, ASCAT, 3, target)).rejects.toMatchObject({
      code: "source_changed",
      message: expect.stringContaining("wind_speed"),
    });
  });

  it("go on with no chunk that was written in between, copied already or not", async () => {
    const source = join(folder, "rewritten.zarr");
    cpSync(GRANULES, source, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 40));
    const collection = await open(source);
    const view = await collection.view(ASCAT);
    const [first, last] = [(await locations(view, 0))[0]!, (await locations(view, 5))[0]!];
    await collection.close();
    for (const path of [first, last]) {
      const { path: place, target } = await directory();
      const stop = new AbortController();
      const onProgress = ({ part }: { part: number }) => {
        if (part > 0.5) stop.abort(new Error("stopped"));
      };
      await expect(copy(source, ASCAT, 3, target, { signal: stop.signal, onProgress })).rejects.toThrow(
        "stopped",
      );
      const key = `${path}/wind_speed/c/0/0`;
      expect(existsSync(join(place, key))).toBe(path === first);
      await new Promise((resolve) => setTimeout(resolve, 40));
      writeFileSync(join(source, key), readFileSync(join(source, key)));
      await expect(copy(source, ASCAT, 3, target)).rejects.toMatchObject({
        code: "source_changed",
        message: expect.stringMatching(/c\/0\/0 has changed since its copy was begun: remove .*, or choose/),
      });
      expect(existsSync(join(place, "zarr.json"))).toBe(false);
    }
  });

  it.each(["zarr", "icechunk"])(
    "that are complete are not taken for what the source is now (%s)",
    async (to) => {
      if (to === "icechunk" && noIcechunk) return;
      const source = join(folder, `later-${to}.zarr`);
      cpSync(GRANULES, source, { recursive: true });
      const { target } = await directory();
      const run = async () => {
        const collection = await open(source, { name: "granules" });
        const view = await collection.view(ASCAT);
        const copied = await (to === "zarr" ? copyZarr(view, 3, target) : copyIcechunk(view, target));
        await collection.close();
        return { copied, path: (await locations(view, 3))[0]! };
      };
      const { path } = await run();
      expect((await run()).copied.already).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 40));
      const chunk = join(source, path, "wind_speed/c/0/0");
      writeFileSync(chunk, readFileSync(chunk));
      await expect(run()).rejects.toMatchObject({
        code: "source_changed",
        message: expect.stringMatching(
          /c\/0\/0 has changed since it was copied: remove .*, or choose another place/,
        ),
      });
    },
  );

  it("of a source that changes meanwhile fail, and say so", async () => {
    const source = join(folder, "changing.zarr");
    cpSync(STACKED, source, { recursive: true });
    const { target } = await directory();
    let changed = false;
    const onProgress = ({ chunks }: { chunks: number }) => {
      if (chunks < 20 || changed) return;
      changed = true;
      const chunk = join(source, "meta/date/c/0");
      writeFileSync(chunk, readFileSync(chunk).subarray(1));
    };
    const copying = copy(source, "SELECT idx FROM meta", 3, target, {
      layout: "stacked",
      onProgress,
      parallel: 1,
    });
    await expect(copying).rejects.toMatchObject({ code: "source_changed" });
  });

  describe.skipIf(noS3Server)(`in S3${noS3Server ? ` (${noS3Server})` : ""}`, () => {
    const server = new S3Server();
    beforeAll(async () => {
      mkdirSync(join(server.root, "bucket"), { recursive: true });
      await server.start();
    });
    afterAll(() => server.stop());

    it("are the same objects, and go on where they were", async () => {
      const options = { endpoint: server.endpoint, credentials: KEYS };
      const target = new WritableS3("s3://bucket/copies/a b+c.zarr", options);
      const stop = new AbortController();
      const onProgress = ({ chunks }: { chunks: number }) => {
        if (chunks > 60) stop.abort(new Error("stopped"));
      };
      const stopped = copy(GRANULES, ASCAT, 3, target, { signal: stop.signal, onProgress });
      await expect(stopped).rejects.toThrow("stopped");
      const { kept } = await copy(GRANULES, ASCAT, 3, target);
      expect(kept).toBeGreaterThan(50);
      const whole = await directory();
      await copy(GRANULES, ASCAT, 3, whole.target);
      expect(filesOf(join(server.root, "bucket/copies/a b+c.zarr"))).toEqual(filesOf(whole.path));
      const copied = await open(new S3Store("s3://bucket/copies/a b+c.zarr", options));
      expect(copied.rows).toBe(6);
      expect((await copied.view("SELECT idx FROM meta WHERE idx < 3")).count).toBe(3);
    });

    it("say what is wrong where they may not be written", async () => {
      const credentials = { ...KEYS, secretAccessKey: "wrong" };
      const target = new WritableS3("s3://bucket/x", { endpoint: server.endpoint, credentials });
      await expect(target.set("a", "b")).rejects.toMatchObject({
        code: "source_forbidden",
        message: expect.stringMatching(/s3:\/\/bucket\/x\/a .*403/),
      });
    });
  });
});

describe.skipIf(!existsSync(GRANULES) || noIcechunk)("copies in Icechunk", () => {
  const repository = async (path: string, sql: string, options: ViewOptions & CopyOptions = {}) => {
    await WritableDirectory.create(path);
    const { parallel, onProgress, signal, ...view } = options;
    const collection = await open(GRANULES, { name: "granules" });
    const files = new WritableDirectory(path, COPY_TEMPORARY);
    try {
      return await copyIcechunk(await collection.view(sql, view), files, options);
    } finally {
      await collection.close();
    }
  };

  it("are one commit, and hold the same values", async () => {
    const path = join(folder, "granules.icechunk");
    const { chunks } = await repository(path, ASCAT);
    expect(chunks).toBeGreaterThan(60);
    expect(readdirSync(path).sort()).toEqual([
      "chunks",
      "config.yaml",
      "manifests",
      "refs",
      "snapshots",
      "transactions",
    ]);
    expect(readdirSync(join(path, "snapshots"))).toHaveLength(2);
    const copied = await open(path);
    expect(copied.rows).toBe(6);
    const bytes = await (await copied.view("SELECT idx FROM meta WHERE idx = 2")).asStore(3);
    const plain = await open(GRANULES);
    const [source] = await locations(await plain.view(ASCAT), 2);
    const key = `${source}/wind_speed/c/0/0`;
    expect(Buffer.from((await bytes.get(key))!)).toEqual(readFileSync(join(GRANULES, key)));
    await Promise.all([copied.close(), plain.close()]);
    if (!noPython)
      expect(await readBack("zarr3", path, GRANULES)).toMatchObject({ different: [], equal: 60 });
  });

  it("are written from memory that can be sent", async () => {
    const collection = await open(GRANULES, { name: "granules" });
    const files = new MemoryStore();
    const set = files.set.bind(files);
    files.set = (key, value) => {
      if (typeof value !== "string") expect(value.buffer, key).toBeInstanceOf(ArrayBuffer);
      set(key, value);
    };
    await copyIcechunk(await collection.view("SELECT idx FROM meta LIMIT 2"), files as WritableStore);
    expect([...files.keys()].filter((key) => key.startsWith("chunks/")).length).toBeGreaterThan(10);
    await collection.close();
  });

  it.skipIf(noS3Server)("are made in a bucket", async () => {
    const server = await new S3Server().start();
    try {
      mkdirSync(join(server.root, "bucket"));
      const s3 = { endpoint: server.endpoint, region: "us-east-1", credentials: KEYS };
      const collection = await open(GRANULES, { name: "granules" });
      const view = await collection.view("SELECT idx FROM meta LIMIT 2");
      await copyIcechunk(view, new WritableS3("s3://bucket/copy", s3));
      const copied = await open("s3://bucket/copy", { s3 });
      expect(copied.rows).toBe(2);
      await Promise.all([copied.close(), collection.close()]);
    } finally {
      server.stop();
    }
  });

  it("that were stopped are begun anew; nothing else is touched", async () => {
    const path = join(folder, "stopped.icechunk");
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const onProgress = ({ chunks }: { chunks: number }) => {
      if (chunks > 30) stop.abort(new Error("stopped"));
    };
    await expect(repository(path, ASCAT, { signal: stop.signal, onProgress })).rejects.toThrow("stopped");
    await repository(path, "SELECT idx FROM meta LIMIT 2");
    expect((await open(path)).rows).toBe(2);
    // Killed right after the commit, it has left its note.
    const note = join(path, NOTE);
    for (const isLeft of [false, true]) {
      mkdirSync(dirname(note), { recursive: true });
      if (isLeft) writeFileSync(note, "{}");
      const before = filesOf(join(path, "snapshots"));
      expect(await repository(path, "SELECT idx FROM meta LIMIT 2")).toMatchObject({
        already: true,
        chunks: 0,
      });
      expect(filesOf(join(path, "snapshots"))).toEqual(before);
      expect(existsSync(note)).toBe(false);
    }
    await expect(repository(path, "SELECT idx FROM meta LIMIT 3")).rejects.toThrow(/not empty/);
  });
});

describe.skipIf(noPython)("a copy of a source in Zarr v2", () => {
  it("keeps missing chunks missing, in both formats", async () => {
    const source = await makeV2();
    try {
      for (const format of [2, 3] as const) {
        const { path, target } = await directory();
        await copy(source, "SELECT cloud, date FROM meta WHERE cloud IS NOT NULL", format, target);
        expect(await readBack(`zarr${format}`, path, source)).toMatchObject({ different: [], equal: 12 });
        const chunks = [...filesOf(path).keys()].filter((name) => /g0\/a\/(c\/)?\d/.test(name));
        expect(chunks).toHaveLength(2);
      }
    } finally {
      rmSync(dirname(source), { recursive: true, force: true });
    }
  });
});
