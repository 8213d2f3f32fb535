import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { built, outcome, PROGRAM, start, zarrsift } from "./program.ts";

const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const STORE = `${DATA}granules.zarr`;
const withData = built && existsSync(STORE);

interface Granule {
  granule_id: string;
  collection: string;
  orbit_number: number;
  rows: number;
}
const catalog = withData ? (JSON.parse(readFileSync(`${DATA}catalog.json`, "utf8")) as Granule[]) : [];
const amsr2 = catalog
  .filter(({ collection }) => collection.startsWith("AMSR2"))
  .map(({ granule_id }) => granule_id);
const AMSR2_SQL = "SELECT granule_id, rows FROM meta WHERE collection LIKE 'AMSR2%' ORDER BY granule_id";

describe.skipIf(!withData)("inspect", () => {
  it("shows rows, granules and columns", async () => {
    const { code, stdout, stderr } = await zarrsift("inspect", STORE);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^rows {6}49$/m);
    expect(stdout).toMatch(/^granules {2}granules, located by array_location$/m);
    expect(stdout).toMatch(/^bbox +geometry +\d+ +geometry$/m);
    expect(stdout).toMatch(/^orbit_number +int\d+ +\d+$/m);
  });

  it("says the same as JSON", async () => {
    const { code, stdout } = await zarrsift("inspect", STORE, "--json");
    const description = JSON.parse(stdout) as { rows: number; columns: { name: string; role?: string }[] };
    expect([code, description.rows, description.columns.length]).toEqual([0, 49, 23]);
    expect(description.columns.find(({ role }) => role === "geometry")?.name).toBe("bbox");
  });
});

describe.skipIf(!withData)("query", () => {
  it("prints a table", async () => {
    const { code, stdout, stderr } = await zarrsift("query", STORE, AMSR2_SQL);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^granule_id +rows$/);
    expect(lines.slice(2, 2 + amsr2.length).map((line) => line.split(/\s+/)[0])).toEqual([...amsr2].sort());
    expect(lines.at(-2)).toBe(`(${amsr2.length} rows)`);
  });

  it("prints the same rows as JSON, ndjson and CSV", async () => {
    const [json, ndjson, csv] = await Promise.all(
      ["json", "ndjson", "csv"].map(
        async (format) => (await zarrsift("query", STORE, AMSR2_SQL, "--format", format)).stdout,
      ),
    );
    const want = catalog
      .filter(({ granule_id }) => amsr2.includes(granule_id))
      .map(({ granule_id, rows }) => ({ granule_id, rows }));
    want.sort((a, b) => (a.granule_id < b.granule_id ? -1 : 1));
    expect(JSON.parse(json!)).toMatchObject({
      columns: [{ name: "granule_id", type: "string" }, { name: "rows" }],
      rows: want,
      count: want.length,
    });
    expect(
      ndjson!
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(want);
    expect(csv!.replaceAll("\r\n", "\n")).toBe(
      `granule_id,rows\n${want.map((row) => `${row.granule_id},${row.rows}\n`).join("")}`,
    );
  });

  it("takes parameters", async () => {
    const sql = "SELECT granule_id FROM meta WHERE orbit_number = $1 AND collection = $2";
    const { orbit_number, collection } = catalog[0]!;
    const params = JSON.stringify([orbit_number, collection]);
    const { stdout } = await zarrsift("query", STORE, sql, "--params", params, "--format", "ndjson");
    const want = catalog.filter((one) => one.orbit_number === orbit_number && one.collection === collection);
    expect(want.length).toBeGreaterThan(0);
    expect(stdout.trim().split("\n").length).toBe(want.length);
  });

  it("calls the table meta, or as the source is called", async () => {
    const { code, stdout } = await zarrsift("query", STORE, "SELECT granules.idx FROM granules LIMIT 1");
    expect([code, stdout]).toEqual([0, expect.stringContaining("(1 row)")]);
    expect((await zarrsift("query", STORE, "SELECT idx FROM granule")).stderr).toMatch(
      /called meta or granules/,
    );
    const here = start(["query", ".", "SELECT idx FROM meta LIMIT 1"], {}, STORE);
    expect((await outcome(here)).code).toBe(0);
  });

  it("prints an Arrow stream and GeoJSON", async () => {
    const sql = "SELECT granule_id, bbox FROM meta ORDER BY granule_id";
    const ids = catalog.map(({ granule_id }) => granule_id).sort();
    const child = start(["query", STORE, sql, "--format", "arrow"]);
    const bytes: Buffer[] = [];
    child.stdout!.on("data", (chunk: Buffer) => bytes.push(chunk));
    expect((await outcome(child)).code).toBe(0);
    const table = tableFromIPC(Buffer.concat(bytes));
    expect([...table.getChild("granule_id")!]).toEqual(ids);
    expect(table.schema.fields[1]!.metadata.get("ARROW:extension:name")).toBe("geoarrow.wkb");

    const { stdout } = await zarrsift("query", STORE, sql, "--format", "geojson");
    const { features } = JSON.parse(stdout) as { features: { properties: { granule_id: string } }[] };
    expect(features.map(({ properties }) => properties.granule_id)).toEqual(ids);

    const none = await zarrsift("query", STORE, "SELECT idx FROM meta", "--format", "geojson");
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("format geojson needs a geometry column");
  });

  it("shows how it would be answered", async () => {
    const { code, stdout } = await zarrsift("query", STORE, AMSR2_SQL, "--explain", "--format", "json");
    const { plan } = JSON.parse(stdout) as { plan: { step: string; column: string | null }[] };
    expect(code).toBe(0);
    expect(plan.some(({ column }) => column === "collection")).toBe(true);
    expect((await zarrsift("query", STORE, AMSR2_SQL, "--explain")).stdout).toMatch(/^step +/);
  });

  it("shows it for EXPLAIN in front of the SQL, too", async () => {
    const sql = "SELECT collection, count(*) AS n FROM meta GROUP BY collection ORDER BY 1";
    const { stdout } = await zarrsift("query", STORE, `EXPLAIN ${sql}`);
    expect(stdout).toMatch(/^aggregate +collection +count\(\*\) by collection/m);
    const analyzed = await zarrsift("query", STORE, `explain analyze ${sql}`, "--format", "json");
    const { plan } = JSON.parse(analyzed.stdout) as { plan: { step: string; rows_in: number }[] };
    expect(plan.find(({ step }) => step === "aggregate")!.rows_in).toBe(catalog.length);
    const refused = await zarrsift("query", STORE, `EXPLAIN ${sql}`, "--format", "csv");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/EXPLAIN has no format csv/)]);
  });

  it("counts by group", async () => {
    const sql = "SELECT collection, count(*) AS n FROM meta GROUP BY collection ORDER BY 1";
    const { stdout } = await zarrsift("query", STORE, sql, "--format", "csv");
    const counts = new Map<string, number>();
    for (const { collection } of catalog) counts.set(collection, (counts.get(collection) ?? 0) + 1);
    const want = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(stdout.replaceAll("\r\n", "\n")).toBe(
      `collection,n\n${want.map(([name, n]) => `${name},${n}\n`).join("")}`,
    );
  });

  it("points at the place of a mistake", async () => {
    const sql = "SELECT idx FROM meta\nWHERE collecton = 'x'";
    const { code, stdout, stderr } = await zarrsift("query", STORE, sql);
    expect([code, stdout]).toEqual([1, ""]);
    const [message, shown, caret] = stderr.split("\n");
    expect(message).toMatch(/^zarrsift: .*collecton/);
    expect(shown).toBe("  WHERE collecton = 'x'");
    expect(caret).toBe("        ^");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("shows a stack trace only when asked", async () => {
    const { stderr } = await outcome(
      start(["query", STORE, "SELECT nope FROM meta"], { ZARRSIFT_DEBUG: "1" }),
    );
    expect(stderr).toMatch(/^\s+at /m);
  });

  it("says in one line what is not there", async () => {
    const { code, stderr } = await zarrsift("query", `${DATA}no-such.zarr`, "SELECT idx FROM meta");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^zarrsift: .*no-such\.zarr.*\n$/);
  });

  it("ends quietly when its reader goes away", async () => {
    const words = [process.execPath, PROGRAM, "query", STORE, "SELECT * FROM meta", "--format", "ndjson"];
    const script = `set -o pipefail; "$@" | head -n 1 | wc -l; echo "status $?"`;
    const { stdout, stderr } = await outcome(spawn("bash", ["-c", script, "bash", ...words]));
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(["1", "status 0", ""]);
    expect(stderr).toBe("");
  });

  it.skipIf(!existsSync(`${DATA}granules-spec1.icechunk`))(
    "reads a tag of Icechunk, and ends by itself",
    async () => {
      const source = `${DATA}granules-spec1.icechunk#v1`;
      const { code, stdout } = await zarrsift("query", source, AMSR2_SQL, "--format", "csv");
      expect(code).toBe(0);
      expect(stdout.trim().split(/\r?\n/).length).toBe(1 + amsr2.length);
    },
  );
});

describe.skipIf(!built)("Ctrl-C", () => {
  it("ends a query that waits for its source at once, with status 130", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    const asked = once(silent, "request");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    const child = start(["query", `http://127.0.0.1:${port}/a.zarr`, "SELECT idx FROM meta"]);
    const ended = outcome(child);
    await asked;
    const from = performance.now();
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, stdout: "", stderr: "" });
    expect(performance.now() - from).toBeLessThan(10_000);
    silent.closeAllConnections();
    silent.close();
  });
});
