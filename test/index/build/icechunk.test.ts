import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { buildIndexes } from "../../../src/index/build/build.ts";
import { checkIndexes } from "../../../src/index/build/check.ts";
import { dropIndexes } from "../../../src/index/build/drop.ts";
import { loadIcechunk } from "../../../src/store/icechunk/load.ts";
import { openSource } from "../../../src/store/open.ts";
import { openWritable } from "../../../src/store/open-writable.ts";
import { askAll } from "./kit.ts";

const data = fileURLToPath(new URL("../../../../shared/data/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "zarrsift-icechunk-index-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const loads = await loadIcechunk().then(
  () => true,
  () => false,
);
let count = 0;

function copyOf(name: string): string {
  const path = join(folder, `${++count}`);
  cpSync(join(data, `${name}.icechunk`), path, { recursive: true });
  return path;
}

const there = existsSync(join(data, "granules-spec1.icechunk")) && loads;
const reason = there ? "" : " (skipped: the shared data or Icechunk is not there)";

describe.skipIf(!there).each(["granules-spec1", "granules-spec2"])(
  `indexes in the repository %s${reason}`,
  (name) => {
    it("come with one commit, are verified after others, and go with one", async () => {
      const path = copyOf(name);
      const files = readdirSync(path).sort();
      const source = await openSource(path);
      const columns = ["bbox", "date", "platform"];
      const snapshots = new Set([source.snapshot]);
      await buildIndexes(source, await openWritable(path), { columns });
      expect(readdirSync(path).sort()).toEqual(files);
      expect((await askAll(source)).kinds).toEqual({});

      const indexed = await openSource(path);
      snapshots.add(indexed.snapshot);
      const answers = await askAll(indexed);
      expect(answers.states).toEqual({ bbox: "verified", date: "verified", platform: "verified" });
      expect(answers.warnings).toEqual([]);
      expect((await checkIndexes(indexed, indexed)).map(({ problem }) => problem)).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      const again = await buildIndexes(indexed, await openWritable(path), { columns });
      expect(again.map(({ what }) => what)).toEqual(["unchanged", "unchanged", "unchanged"]);
      expect((await openSource(path)).snapshot).toBe(indexed.snapshot);

      await dropIndexes(await openWritable(path));
      const dropped = await openSource(path);
      snapshots.add(dropped.snapshot);
      expect(snapshots.size).toBe(3);
      expect((await askAll(dropped)).kinds).toEqual({});
      expect(await dropped.list("indexes")).toEqual({ keys: [], prefixes: [] });
    });

    it("are committed after what others committed meanwhile, and are stale where that is their column", async () => {
      const path = copyOf(name);
      const source = await openSource(path);
      const writer = await openWritable(path);
      const other = await openWritable(path);
      const chunk = (await source.get("meta/orbit_number/c/1"))!;
      await other.set("meta/orbit_number/c/0", chunk);
      await other.commit!("other orbits");
      await buildIndexes(source, writer, { columns: ["date", "orbit_number"] });
      const now = await openSource(path);
      expect((await now.get("meta/orbit_number/c/0"))!).toEqual(chunk);
      const { states } = await askAll(now).catch(() => ({
        states: { orbit_number: "wrong" } as Record<string, string>,
      }));
      expect(states.date ?? "verified").toBe("verified");
      expect(states.orbit_number).toBe("stale");
      const reports = await buildIndexes(now, await openWritable(path), {
        columns: ["date", "orbit_number"],
      });
      expect(reports.map(({ what }) => what)).toEqual(["unchanged", "rebuilt"]);
      expect((await askAll(await openSource(path))).states).toEqual({
        date: "verified",
        orbit_number: "verified",
      });
    });

    it("are refused where somebody else built the same meanwhile", async () => {
      const path = copyOf(name);
      const source = await openSource(path);
      const [first, second] = [await openWritable(path), await openWritable(path)];
      await buildIndexes(source, first, { columns: ["date"] });
      await expect(buildIndexes(source, second, { columns: ["date"] })).rejects.toMatchObject({
        code: "source_changed",
      });
      expect((await askAll(await openSource(path))).states).toEqual({ date: "verified" });
    });
  },
);
