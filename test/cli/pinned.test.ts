/** Views stay what they were, or fail: new commits, changed files, restarts, other servers. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { zipOf } from "../store/zip-writer.ts";
import { PYTHON, python } from "../zarr/python.ts";
import { built, lineFrom, outcome, start } from "./program.ts";

const DATA = join(import.meta.dirname, "../../../shared/data");
const why = !built
  ? "needs a build"
  : !PYTHON
    ? "needs ZARRSIFT_PYTHON"
    : existsSync(DATA)
      ? ""
      : "needs ../shared/data";
const SQL = "SELECT idx, processing_version FROM meta WHERE idx IN (0, 1) ORDER BY idx";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-pinned-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Running {
  base: string;
  stop(): Promise<void>;
}
const running = new Set<Running>();
afterEach(async () => {
  for (const server of running) await server.stop();
});

/** A real `zarrsift serve` of `source` as "granules". */
async function serve(source: string, state = "state", env: Record<string, string> = {}): Promise<Running> {
  const words = ["serve", `granules=${source}`, "--port", "0", "--state-dir", join(folder, state)];
  const child = start(words, env);
  const ended = outcome(child);
  const line = await lineFrom(child, /^listening on /);
  const server: Running = {
    base: line.replace("listening on ", ""),
    stop: async () => {
      running.delete(server);
      child.kill("SIGTERM");
      await ended;
    },
  };
  running.add(server);
  return server;
}

interface Made {
  id: string;
  version: string;
  v3: string;
}

async function makeView({ base }: Running, collection = "granules"): Promise<Made> {
  const answer = await fetch(`${base}/collections/${collection}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql: SQL }),
  });
  expect([200, 201]).toContain(answer.status);
  return (await answer.json()) as Made;
}

/** Some of a view: the first granule's metadata and a chunk, and its own meta. */
async function contents({ base }: Running, id: string, keys: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(keys.map((key) => fetch(`${base}/views/${id}/v3/${key}`)));
  return Promise.all(
    answers.map(
      async (answer) => `${answer.status} ${Buffer.from(await answer.arrayBuffer()).toString("base64")}`,
    ),
  );
}

const granule = "ASCATA-L2-25km/ASCATA-L2-25km_20150702T084200_45145";
const KEYS = [
  `${granule}/zarr.json`,
  `${granule}/wind_speed/c/0/0`,
  "meta/processing_version/c/0",
  "meta/zarr.json",
];
const change = (source: string) =>
  python("change_granule.py", source, `${granule}/wind_speed`, "processing_version")
    .trim()
    .split("\n")
    .at(-1)!;

describe.skipIf(why !== "")(`a view of an Icechunk branch${why && ` (${why})`}`, { timeout: 120_000 }, () => {
  const source = join(folder, "granules.icechunk");
  beforeAll(() => cpSync(join(DATA, "granules-spec1.icechunk"), source, { recursive: true }));

  it("stays on its snapshot: after commits, after a restart, on other servers", async () => {
    const first = await serve(source);
    const view = await makeView(first);
    const before = await contents(first, view.id, KEYS);
    expect(before.map((text) => text.slice(0, 3))).toEqual(["200", "200", "200", "200"]);

    const snapshot = change(source);
    expect(snapshot).not.toBe(view.version);
    expect(await contents(first, view.id, KEYS)).toEqual(before);

    // The same state, at the same time, in another process, which sees the new commit.
    const second = await serve(source);
    const described = await (await fetch(`${second.base}/views/${view.id}`)).json();
    expect(described).toMatchObject({ id: view.id, version: view.version });
    expect(await contents(second, view.id, KEYS)).toEqual(before);
    expect(await (await fetch(`${second.base}/collections/granules`)).json()).toMatchObject({
      version: snapshot,
    });
    await first.stop();
    await second.stop();

    const again = await serve(source);
    expect(await contents(again, view.id, KEYS)).toEqual(before);
    const now = await makeView(again);
    expect(now.version).toBe(snapshot);
    expect(now.id).not.toBe(view.id);
    const after = await contents(again, now.id, KEYS);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);

    // A server that never heard of the view makes the same one, by its id.
    const other = await serve(source, "other");
    expect((await fetch(`${other.base}/views/${view.id}/v3/zarr.json`)).status).toBe(410);
    const same = await makeView(other, `granules@${view.version}`);
    expect(same).toMatchObject({ id: view.id, version: view.version });
    expect(await contents(other, view.id, KEYS)).toEqual(before);
  });
});

describe.skipIf(why !== "")(
  `a view of a plain store that changes${why && ` (${why})`}`,
  { timeout: 120_000 },
  () => {
    const copy = (name: string) => {
      const source = join(folder, name);
      cpSync(join(DATA, "granules.zarr"), source, { recursive: true, preserveTimestamps: true });
      return source;
    };
    /** Status and error code at a key. */
    const failure = async ({ base }: Running, id: string, key: string) => {
      const answer = await fetch(`${base}/views/${id}/v3/${key}`);
      const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
      return [answer.status, code];
    };

    /** What the server holds in memory is of the old version, and is believed until its next look, half a second or more. */
    const noticed = (server: Running, id: string) =>
      expect
        .poll(() => failure(server, id, KEYS[1]!), { timeout: 30_000, interval: 100 })
        .toEqual([503, "source_changed"]);

    it("fails whatever is read, here and after a restart; the same made again is another", async () => {
      const source = copy("changes.zarr");
      const first = await serve(source, "plain");
      const view = await makeView(first);
      const before = await contents(first, view.id, KEYS);
      change(source);
      await noticed(first, view.id);
      for (const key of [...KEYS, `${granule}/lat/c/0/0`, "meta/cells/c/9", "nope"])
        expect(await failure(first, view.id, key), key).toEqual([503, "source_changed"]);
      const next = await makeView(first);
      expect(next.version).not.toBe(view.version);
      expect((await contents(first, next.id, KEYS))[2]).not.toBe(before[2]);
      await first.stop();
      const again = await serve(source, "plain");
      expect(await failure(again, view.id, KEYS[1]!)).toEqual([503, "source_changed"]);
      expect(await contents(again, next.id, KEYS)).toEqual(await contents(again, next.id, KEYS));
    });

    it("fails where it lies in an archive that is replaced, even if its table stays", async () => {
      const members = filesBelow(join(DATA, "granules.zarr"));
      const source = join(folder, "granules.zip");
      writeFileSync(source, zipOf(members));
      const server = await serve(source, "archive");
      const view = await makeView(server);
      const before = await contents(server, view.id, KEYS);
      expect(before.map((text) => text.slice(0, 3))).toEqual(["200", "200", "200", "200"]);
      const changed = members.map(([key, bytes]): [string, Uint8Array] =>
        key === KEYS[1] ? [key, bytes.slice().reverse()] : [key, bytes],
      );
      writeFileSync(`${source}.new`, zipOf(changed));
      renameSync(`${source}.new`, source);
      await noticed(server, view.id);
      const next = await makeView(server);
      expect(next.version).not.toBe(view.version);
      const after = await contents(server, next.id, KEYS);
      expect(after[1]).toBe(
        `200 ${Buffer.from(changed.find(([key]) => key === KEYS[1])![1]).toString("base64")}`,
      );
      expect(after[2]).toBe(before[2]);
    });

    it("never gives new bytes under the old version, whenever it is read", async () => {
      const source = copy("rewritten.zarr");
      const server = await serve(source, "rewritten");
      const view = await makeView(server);
      const keys = [KEYS[1]!, KEYS[2]!];
      const before = await contents(server, view.id, keys);
      let over = false;
      const seen = new Set<string>();
      const reader = async () => {
        while (!over)
          for (const text of await contents(server, view.id, keys))
            seen.add(text.slice(0, 3) === "200" ? text : text.slice(0, 3));
      };
      const readers = [reader(), reader(), reader()];
      await new Promise((resolve) => setTimeout(resolve, 300));
      // The table first, as a maintainer who follows the rules does; then the granule.
      for (const key of ["meta/processing_version", `${granule}/wind_speed`]) rewrite(join(source, key));
      await noticed(server, view.id);
      over = true;
      await Promise.all(readers);
      expect([...seen].sort()).toEqual([...before, "503"].sort());
    });
  },
);

/** Keys and values of a directory store. */
function filesBelow(root: string): [string, Uint8Array][] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return paths.map((path) => [relative(root, path), new Uint8Array(readFileSync(path))]);
}

/** Every chunk of an array, with its bytes turned around. */
function rewrite(array: string): void {
  for (const entry of readdirSync(array, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === "zarr.json") continue;
    const path = join(entry.parentPath, entry.name);
    writeFileSync(path, readFileSync(path).reverse());
  }
}
