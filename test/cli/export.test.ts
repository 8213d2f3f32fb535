import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { transferLine } from "../../src/cli/transfer-progress.ts";
import { bytesText } from "../../src/format/bytes.ts";
import { noPython, PYTHON } from "../export/python.ts";
import { built, lineFrom, outcome, start, zarrsift } from "./program.ts";

const DATA = join(import.meta.dirname, "../../../shared/data");
const GRANULES = join(DATA, "granules.zarr");
const STACKED = join(DATA, "stacked.zarr");
/** Has granules of 4 of its 49 rows. */
const PARTIAL = join(DATA, "granules-spec2.icechunk");
const ICECHUNK_KINDS: [string, string, string[], string][] = [
  ["icechunk", GRANULES, [], "root['meta']['source_idx'].size"],
  ["icechunk", STACKED, ["--layout", "stacked"], "ds.sizes['granule']"],
];
const noIcechunk = spawnSync(PYTHON, ["-c", "import icechunk"]).status !== 0;
const folder = mkdtempSync(join(tmpdir(), "zarrsift-cli-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a transfer's line", () => {
  it("says how much, how fast and how long", () => {
    const done = { part: 0.45, count: 12_345, bytes: 1.3e9 };
    expect(transferLine("copying", "chunks", done, 16)).toBe(
      "copying: 45 %, 12,345 chunks, 1.3 GB, 81.3 MB/s, 20 s left",
    );
    expect(transferLine("copying", "chunks", done, 16, 0.4)).toMatch(/, 3 min left$/);
    expect(transferLine("copying", "chunks", done, 0.5)).toBe("copying: 45 %, 12,345 chunks, 1.3 GB");
    expect(transferLine("referring", "chunks", { part: 0.5, count: 500 }, 10)).toBe(
      "referring: 50 %, 500 chunks, 50 chunks/s, 10 s left",
    );
    expect([0, 999, 1000, 2.5e6, 7e15].map(bytesText)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "2.5 MB",
      "7000.0 TB",
    ]);
  });
});

describe.skipIf(!built || !existsSync(DATA))("zarrsift export", () => {
  it("writes references, and says what opens them", async () => {
    const file = join(folder, "refs.json");
    const { code, stdout } = await zarrsift(
      "export",
      "SELECT idx FROM meta LIMIT 3",
      GRANULES,
      "--to",
      "kerchunk",
      file,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S+refs\.json: \d+ chunks of 3 granules, in [\d.]+ s\n\nimport zarr\n/);
    expect(stdout).toContain(`storage_options={"fo": "${file}", "remote_protocol": "file"}`);
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")).refs)).toContain(".zmetadata");
    expect(readdirSync(folder)).toEqual(["refs.json"]);
    const parquet = join(folder, "refs.parq");
    const words = ["SELECT idx FROM meta", STACKED, "--layout", "stacked", "--to", "kerchunk", parquet];
    expect((await zarrsift("export", ...words)).stdout).toContain("xr.open_dataset");
    expect(readdirSync(join(parquet, "wind_speed"))).toEqual(["refs.0.parq"]);
    expect((await zarrsift("export", ...words)).stderr).toMatch(/refs\.parq is there already/);
  });

  it("copies, goes on when it was stopped with Ctrl-C, and touches nothing else", async () => {
    const target = join(folder, "copy.zarr");
    const words = ["export", "SELECT * FROM meta", GRANULES, "--to", "zarr", target];
    const child = start([...words, "--parallel", "1"]);
    const ended = outcome(child);
    while (!existsSync(join(target, "AMSR2-REMSS-L2P-v8a"))) await sleep(5);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("interrupted; a copy goes on"),
    });
    expect(existsSync(join(target, "zarr.json"))).toBe(false);
    const { code, stdout } = await zarrsift(...words);
    expect(stdout).toMatch(
      /49 granules, [\d,]+ chunks \([\d,]+ were there\), [\d.]+ .?B in [\d.]+ s, .*\/s\n\nimport zarr\n/,
    );
    expect(code).toBe(0);
    expect((await zarrsift("inspect", target)).stdout).toMatch(/rows +49\n/);
    expect(await zarrsift(...words)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /copy\.zarr: 49 granules, complete already: nothing was left to do\n\nimport/,
      ),
    });
    expect((await zarrsift(...words.with(1, "SELECT * FROM meta LIMIT 48"))).stderr).toMatch(
      /is not empty \(it holds .*\) and is no unfinished copy/,
    );
  });

  it.each([
    ["kerchunk", "stopped.json", "interrupted; nothing was written\n", []],
    ["icechunk", "stopped", "interrupted; a copy is begun anew with the same command\n", ["stopped"]],
  ])("says what is left of what Ctrl-C stopped: %s", async (to, name, said, left) => {
    const words = [
      "export",
      "SELECT * FROM meta",
      GRANULES,
      "--to",
      to,
      join(folder, name),
      "--parallel",
      "1",
    ];
    const child = start(words);
    const ended = outcome(child);
    const written = () => readdirSync(folder).filter((file) => file.startsWith("stopped"));
    while (written().length === 0) await sleep(5);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining(said) });
    expect(written()).toEqual(left);
    rmSync(join(folder, name), { recursive: true, force: true });
  });

  it.skipIf(noPython)("prints lines of Python that open a copy", { timeout: 120_000 }, async () => {
    const three = "SELECT idx FROM meta WHERE idx < 3";
    const kinds: [string, string, string[], string][] = [
      ["zarr", GRANULES, [], "root['meta']['source_idx'].size"],
      ["zarr", STACKED, ["--layout", "stacked"], "ds.sizes['granule']"],
      ["zarr", STACKED, ["--layout", "stacked", "--zarr-format", "2"], "ds.sizes['granule']"],
      ["zarr", GRANULES, ["--layout", "stacked", "--group-by", "encoding"], "ds['stack_0'].sizes['granule']"],
      ...(noIcechunk ? [] : ICECHUNK_KINDS),
    ];
    for (const [i, [to, source, words, counted]] of kinds.entries()) {
      const { stdout } = await zarrsift(
        "export",
        three,
        source,
        ...words,
        "--to",
        to,
        join(folder, `lines-${i}`),
      );
      const code = `${stdout.slice(stdout.indexOf("\n\n") + 2)}\nprint(${counted})`;
      expect(execFileSync(PYTHON, ["-W", "error", "-c", code]).toString()).toMatch(/(^|\n)3\n$/);
    }
  });

  it("takes a view that serve keeps, by its id", async () => {
    const state = join(folder, "state");
    const server = start(["serve", GRANULES, "--port", "0", "--state-dir", state]);
    const origin = (await lineFrom(server, /^listening on/)).split(" ").at(-1)!;
    const answer = await fetch(`${origin}/collections/granules/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ idx: [7, 3], variables: ["lat"] }),
    });
    const { id } = (await answer.json()) as { id: string };
    server.kill("SIGTERM");
    const file = join(folder, "view.json");
    const words = ["export", id, GRANULES, "--state-dir", state, "--to", "kerchunk", file];
    expect(await zarrsift(...words)).toMatchObject({ code: 0 });
    const keys = Object.keys(JSON.parse(readFileSync(file, "utf8")).refs);
    expect(keys.filter((key) => key.endsWith("/lat/.zarray"))).toHaveLength(2);
    const ofOther = await zarrsift(...words.with(2, STACKED));
    expect(ofOther).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is of collection granules at"),
    });
    expect(ofOther.stderr).toContain(`${STACKED} is not at that: give the SOURCE of granules; if this is it`);
    const sameName = await zarrsift(...words.with(2, `granules=${STACKED}`));
    expect(sameName.stderr).toMatch(/^zarrsift: The source of granules is no longer at version/);
    expect(await zarrsift(...words.with(2, `renamed=${GRANULES}`))).toMatchObject({ code: 0 });
    const unknown = await zarrsift(
      "export",
      "0".repeat(32),
      GRANULES,
      "--state-dir",
      state,
      "--to",
      "kerchunk",
      file,
    );
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no view 000") });
    expect(unknown.stderr).toMatch(
      /is a source like any other: zarrsift export .* http.*\/views\/0{32}\/v3 --to/,
    );
    expect(await zarrsift(...words, "--layout", "stacked")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--layout goes with SQL"),
    });
  });

  it.each<[string[], RegExp]>([
    [["SELECT idx FROM meta", GRANULES], /needs --to/],
    [["SELECT idx FROM meta", GRANULES, "--to", "kerchunk"], /what to write: --to kerchunk TARGET/],
    [["SELECT idx FROM meta", GRANULES, "--to", "kerchnk", "x.json"], /did you mean kerchunk/],
    [["SELECT idx FROM meta", GRANULES, "--to", "kerchunk", "x.txt"], /FILE\.json or a DIR\.parq/],
    [["SELECT idx FROM meta", GRANULES, "--to", "kerchunk", "x.parq", "--zarr-format", "3"], /v2 metadata/],
    [["SELECT idx FROM meta", GRANULES, "--to", "zarr", "https://example.org/x"], /copies go to a directory/],
    [["SELECT idx FROM meta", GRANULES, "--to", "zarr", "x.zarr", "--inline", "3"], /--inline goes with/],
    [["SELECT idx FROM meta", GRANULES, "--to", "icechunk", "x", "--zarr-format", "2"], /Zarr v3 alone/],
    [[GRANULES, "SELECT idx FROM meta", "--to", "zarr", "x.zarr"], /SQL first, then the SOURCE/],
    [["SELECT idx FROM meta", GRANULES, "more", "--to", "zarr", "x.zarr"], /then came x\.zarr/],
  ])("says how it is used: %j", async (words, message) => {
    const { code, stderr } = await zarrsift("export", ...words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(existsSync("x.zarr")).toBe(false);
  });

  it("shows where SQL is wrong, and leaves nothing behind", async () => {
    const target = join(folder, "wrong.zarr");
    const { code, stderr } = await zarrsift(
      "export",
      "SELECT idx FROM meta WHERE nope = 1",
      GRANULES,
      "--to",
      "zarr",
      target,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/nope[\s\S]*\^/);
    expect(existsSync(target)).toBe(false);
  });

  it.each(["zarr", "icechunk", "kerchunk"])("says how many rows are left out: %s", async (to) => {
    const target = join(folder, to === "kerchunk" ? "left-out.json" : `left-out.${to}`);
    const words = ["export", "SELECT idx FROM meta", PARTIAL, "--missing", "skip", "--to", to, target];
    const { code, stdout, stderr } = await zarrsift(...words);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ 4 granules, /)]);
    expect(stderr).toContain("\n45 of 49 rows are left out: their granules are not in the source\n");
    const refused = await zarrsift(...words.slice(0, 3), ...words.slice(5));
    expect(refused.stderr).toContain("ask for --missing skip to leave such rows out");
  });

  it("advises options of its own", async () => {
    const refused = async (sql: string, ...words: string[]) =>
      (await zarrsift("export", sql, GRANULES, ...words, "--to", "kerchunk", join(folder, "advised.json")))
        .stderr;
    expect(await refused("SELECT idx FROM meta", "--layout", "stacked")).toMatch(
      /\(--group-by encoding\).*\(--layout concatenated\), name arrays that agree with --variables, or leave/,
    );
    expect(await refused("SELECT idx FROM meta", "--group-by", "encoding")).toMatch(
      /only in --layout stacked\n/,
    );
    expect(await refused("EXPLAIN SELECT idx FROM meta")).toMatch(/not with rows: zarrsift query shows it\n/);
  });

  it("writes nothing into what it copies from", async () => {
    const source = join(folder, "source.zarr");
    cpSync(STACKED, source, { recursive: true });
    symlinkSync(source, join(folder, "link"));
    for (const place of [join(source, "copy"), join(folder, "link", "a", "copy")]) {
      for (const to of ["zarr", "icechunk"]) {
        const { code, stderr } = await zarrsift(
          "export",
          "SELECT idx FROM meta LIMIT 1",
          source,
          "--to",
          to,
          place,
        );
        expect([code, stderr]).toEqual([2, expect.stringContaining("lies within")]);
      }
    }
    expect(readdirSync(source)).toEqual(readdirSync(STACKED));
  });

  it("copies what references lead to, where --allow lets it", async () => {
    const refs = join(folder, "from.json");
    const sql = "SELECT idx FROM meta LIMIT 2";
    const made = await zarrsift("export", sql, GRANULES, "--to", "kerchunk", refs);
    expect([made.code, made.stderr]).toEqual([0, ""]);
    const refused = await zarrsift("export", sql, refs, "--to", "zarr", join(folder, "refused.zarr"));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--allow")]);
    const words = ["--to", "zarr", join(folder, "allowed.zarr"), "--allow", DATA];
    const allowed = await zarrsift("export", sql, refs, ...words);
    expect([allowed.code, allowed.stderr]).toEqual([0, ""]);
    expect(allowed.stdout).toContain("2 granules");
  });
});
