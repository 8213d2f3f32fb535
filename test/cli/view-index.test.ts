/** Indexes of a view that another process serves, kept in a directory, used by further processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeJson } from "../../src/zarr/json.ts";
import { columnsOf, cut } from "../index/build/kit.ts";
import { onDisk } from "../index/on-disk.ts";
import { makeSource } from "../index/source.ts";
import { built, lineFrom, outcome, start, zarrsift } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-view-index-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 9000;
/** Of the view's rows. */
const SQL =
  "SELECT idx, clouds FROM meta WHERE clouds < 4 AND ST_Intersects(bbox, ST_MakeEnvelope(0, 0, 90, 60))";

/** A stacked source: an array whose first axis is the rows of `/meta`. */
async function writeSource(): Promise<string> {
  const path = join(folder, "source.zarr");
  const { bbox, clouds, date } = cut(columnsOf(ROWS, 11), ROWS);
  const store = await makeSource({ bbox: bbox!, clouds: clouds!, date: date! }, 1000);
  const array = {
    zarr_format: 3,
    node_type: "array",
    shape: [ROWS, 4],
    data_type: "int16",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [1, 4] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 7,
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
    dimension_names: ["granule", "x"],
    attributes: {},
  };
  store.set("sst/zarr.json", writeJson(array));
  return onDisk(store, path);
}

async function serving(...words: string[]) {
  const child = start(["serve", ...words, "--port", "0", "--state-dir", join(folder, "state")]);
  const ended = outcome(child);
  const base = (await lineFrom(child, /^listening on /)).replace("listening on ", "");
  const stop = async () => {
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  };
  return { base, stop };
}

async function json(url: string, body?: object): Promise<Record<string, unknown>> {
  const init = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  return (await (await fetch(url, init)).json()) as Record<string, unknown>;
}

describe.skipIf(!built)("zarrsift index of a view", () => {
  test.each(["v3", "v2"])(
    "keeps it in a directory, where query and serve find it: %s",
    async (face) => {
      const source = await serving(`granules=${await writeSource()}`);
      const made = await json(`${source.base}/collections/granules/views`, {
        sql: "SELECT * FROM meta WHERE idx >= 500 ORDER BY clouds DESC",
      });
      expect(made.count).toBe(ROWS - 500);
      const view = made[face] as string;
      const beside = join(folder, `indexes-${face}`);

      const refused = await zarrsift("index", view);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--to DIR")]);
      const first = await zarrsift("index", view, "--to", beside);
      expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^\d of \d columns indexed/)]);
      const check = await zarrsift("index", view, "--to", beside, "--check");
      expect(check.stdout).toContain(`bbox: R-tree and zone map of 8,500 rows are right`);

      const [plain, indexed] = [
        await zarrsift("query", view, SQL, "--format", "csv"),
        await zarrsift("query", view, SQL, "--format", "csv", "--indexes", beside),
      ];
      expect([plain.code, plain.stderr, indexed.code, indexed.stderr]).toEqual([0, "", 0, ""]);
      expect(indexed.stdout).toBe(plain.stdout);
      expect(indexed.stdout.split("\n").length).toBeGreaterThan(10);
      const explained = await zarrsift(
        "query",
        view,
        SQL,
        "--explain",
        "--format",
        "json",
        "--indexes",
        beside,
      );
      const used = JSON.parse(explained.stdout).plan.filter(
        (step: { index: unknown }) => step.index !== null,
      );
      expect(used.map((step: { index: string; state: string }) => [step.index, step.state]).sort()).toEqual([
        ["/indexes/bbox", "unverified"],
        ["/indexes/clouds", "unverified"],
      ]);

      const checked = await zarrsift(
        "query",
        view,
        SQL,
        "--explain",
        "--indexes",
        beside,
        "--verify-indexes",
      );
      expect(checked.stdout.match(/ verified /g)).toHaveLength(2);

      const onward = await serving(`view=${view}`, "--indexes", beside);
      const asked = `${onward.base}/collections/view/query?sql=${encodeURIComponent(SQL)}`;
      const rows = (await json(asked)).rows as { idx: number; clouds: number }[];
      expect(["idx,clouds", ...rows.map((row) => `${row.idx},${row.clouds}`), ""].join("\n")).toBe(
        plain.stdout.replaceAll("\r", ""),
      );
      const { plan } = (await json(`${asked}&explain=plan`)) as { plan: { index: string | null }[] };
      expect(plan.flatMap(({ index }) => index ?? []).sort()).toEqual(["/indexes/bbox", "/indexes/clouds"]);
      await onward.stop();
      await source.stop();
    },
    120_000,
  );
});
