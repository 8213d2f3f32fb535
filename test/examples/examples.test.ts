/** Every example, run as a newcomer would run it against the demo's collection, and its output checked. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDemoCollection } from "../../src/demo/collection.ts";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { built, PROGRAM } from "../cli/program.ts";
import { type Box, cloudCover, dateOf, granules, inBox, mean, meets, temperatures } from "./truth.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = process.env.ZARRSIFT_PYTHON ?? join(root, ".venv/bin/python");
const run = promisify(execFile);
/** Scripts start slowly where much else is running. */
const timeout = 120_000;

const work = mkdtempSync(join(tmpdir(), "zarrsift-examples-"));
const source = join(work, "demo.zarr");
let collection: Collection;
let app: Awaited<ReturnType<typeof buildApp>>;
let server = "";

beforeAll(async () => {
  await makeDemoCollection(source);
  collection = await open(source, { name: "demo" });
  app = await buildApp({ collections: [collection] });
  server = await app.listen({ host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await app?.close();
  await collection?.close();
  rmSync(work, { recursive: true });
});

/** Lines that a script prints. */
async function output(program: string, script: string): Promise<string[]> {
  const { stdout } = await run(program, [join(root, "examples", script), server], { cwd: root });
  return stdout.trimEnd().split("\n");
}

describe("examples", () => {
  it("are all tested here, and short", () => {
    const scripts = readdirSync(join(root, "examples")).filter((name) => /\.(py|mjs)$/.test(name));
    expect(scripts.sort()).toEqual([
      "subset_service.mjs",
      "xarray_view.py",
      "zarr_python_view.py",
      "zarrita_view.mjs",
    ]);
    for (const script of scripts) {
      expect(readFileSync(join(root, "examples", script), "utf8").split("\n").length).toBeLessThanOrEqual(60);
    }
  });

  it.skipIf(!existsSync(python))("xarray_view.py", { timeout }, async () => {
    const [head, ...lines] = await output(python, "xarray_view.py");
    const expected = granules
      .filter((g) => g.fields.dayNight === "night" && cloudCover(g) < 30 && meets(g, [0, -30, 60, 30]))
      .sort((a, b) => cloudCover(a) - cloudCover(b))
      .slice(0, 5)
      .map((granule) => {
        const cells = temperatures(granule, (k) => granule.fields.quality[k]! >= 4);
        const cloud = `${cloudCover(granule).toFixed(1)} % cloud`;
        return `${dateOf(granule)} ${granule.platform.name} ${cloud} ${mean(cells).toFixed(2)} °C in ${cells.length} cells`;
      });
    expect(head).toMatch(new RegExp(`^${expected.length} granules at ${server}/views/[^/]+/v3$`));
    expect(lines).toEqual(expected);
    expect(lines.length).toBeGreaterThan(1);
  });

  it.skipIf(!existsSync(python))("zarr_python_view.py", { timeout }, async () => {
    const lines = await output(python, "zarr_python_view.py");
    const expected = granules
      .filter((g) => g.start < Date.UTC(2025, 6, 1) && meets(g, [0, 0, 10, 10]))
      .map((granule) => {
        const cells = temperatures(granule);
        const { rows, cells: width } = granule.swath;
        const seen = cells.length > 0 ? `${mean(cells).toFixed(2)} °C` : "no sea in sight";
        return `${dateOf(granule)} orbit ${granule.orbit} (${rows}, ${width}) ${seen}`;
      });
    expect(lines).toEqual(expected);
    expect(lines.length).toBeGreaterThan(2);
  });

  it("zarrita_view.mjs", { timeout }, async () => {
    const [head, ...lines] = await output(process.execPath, "zarrita_view.mjs");
    const expected = granules
      .filter((g) => g.platform.code === "KTWB" && cloudCover(g) < 50 && meets(g, [150, -40, -150, 40]))
      .map((granule) => {
        const cells = temperatures(granule);
        const name = `${dateOf(granule)} ${granule.platform.name} orbit ${granule.orbit}`;
        return `${name} ${mean(cells).toFixed(2)} °C in ${cells.length} cells`;
      });
    expect(head).toMatch(new RegExp(`^${expected.length} granules at ${server}/views/[^/]+/v3$`));
    expect(lines).toEqual(expected);
    expect(lines.length).toBeGreaterThan(1);
  });

  // It imports the package by its name, which leads to the build.
  describe.skipIf(!existsSync(join(root, "dist/index.js")))("subset_service.mjs", () => {
    it("answers statistics inside a box, and problems as such", { timeout }, async () => {
      const service = spawn(process.execPath, [join(root, "examples/subset_service.mjs"), source, "0"], {
        cwd: root,
      });
      try {
        const url = await listening(service);
        const box: Box = [175, -20, -170, 20];
        const answer = await fetch(`${url}/?bbox=${box}&datetime=2025-06-01T00:00:00Z/2025-07-15T00:00:00Z`);
        expect(answer.status).toBe(200);
        const { granules: seen } = (await answer.json()) as {
          granules: { granule_id: string; mean: number | null }[];
        };
        const expected = granules
          .filter((g) => g.start <= Date.UTC(2025, 6, 15) && meets(g, box))
          .map((granule) => {
            const { lon, lat } = granule.swath;
            const cells = temperatures(granule, (k) => inBox(box, lon[k]!, lat[k]!));
            const kelvin = cells.length > 0 ? expect.closeTo(mean(cells) + 273.15, 6) : null;
            return { granule_id: granule.id, date: dateOf(granule), cells: cells.length, mean: kelvin };
          });
        expect(seen).toEqual(expected);
        expect(seen.filter((granule) => granule.mean !== null).length).toBeGreaterThan(1);
        const none = await fetch(`${url}/?datetime=2020-01-01T00:00:00Z/2020-02-01T00:00:00Z`);
        expect([none.status, ((await none.json()) as { granules: unknown[] }).granules]).toEqual([200, []]);
        const wrong = await fetch(`${url}/?bbox=0,50,10,40`);
        expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([
          400,
          "bad_parameter",
        ]);
      } finally {
        service.kill();
      }
    });
  });
});

describe("README.md", () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map((match) => match[1]!);

  const mine = blocks("python").find((block) => block.startsWith("# mine.py"))!;

  it.skipIf(!existsSync(python) || !built)(
    "makes a collection that is queried, copied and served",
    {
      timeout,
    },
    async () => {
      writeFileSync(join(work, "mine.py"), mine);
      writeFileSync(join(work, "sources.yaml"), blocks("yaml")[0]!);
      await run(python, ["mine.py"], { cwd: work });
      const [words] = blocks("sh").filter((block) => block.startsWith("python mine.py\n"));
      const [, query, copy, serve] = words!.trimEnd().split("\n");
      const shell = (line: string) =>
        run("sh", ["-c", line.replace("zarrsift", `'${process.execPath}' '${PROGRAM}'`)], { cwd: work });
      expect((await shell(query!)).stdout).toMatch(/2025-06-03T22:30:00Z +\/scenes\/1\n\(1 row\)/);
      expect((await shell(copy!)).stdout).toMatch(/^late\.zarr: 1 granule, /);
      const late = await open(join(work, "late.zarr"));
      expect(late.rows).toBe(1);
      await late.close();
      const given = [...serve!.split(" ").slice(1), "--port", "0", "--state-dir", join(work, "state")];
      const child = spawn(process.execPath, [PROGRAM, ...given], { cwd: work });
      try {
        const { collections } = (await (await fetch(`${await listening(child)}/collections`)).json()) as {
          collections: { name: string; rows: number }[];
        };
        expect(collections.map(({ name, rows }) => [name, rows])).toEqual([
          ["mine", 2],
          ["demo", granules.length],
        ]);
      } finally {
        child.kill();
      }
    },
  );

  it.skipIf(!existsSync(python))("has Python that runs", { timeout }, async () => {
    const code = blocks("python")
      .filter((block) => block !== mine)
      .join("");
    const { stdout } = await run(python, ["-c", code.replaceAll("http://127.0.0.1:8000", server)]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[3]).toMatch(/^\{.*'sql': .*\} \[.*'meta'.*\]$/);
    expect(lines[4]).toMatch(/^<xarray.Dataset>/);
    expect(stdout).toMatch(/sea_surface_temperature +\(granule, rows, cells\)/);
    for (const line of lines.slice(0, 3))
      expect(line).toMatch(/^2025-\d\d-\d\dT[\d:.]+Z (2[789]\d|30\d)\.\d+$/);
  });

  it.skipIf(!existsSync(join(root, "dist/index.js")))("has JavaScript that runs", { timeout }, async () => {
    const [code] = blocks("js");
    const here = code!.replace('"https://example.com/granules.zarr"', JSON.stringify(source));
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", here], { cwd: root });
    expect(stdout).toMatch(/^2025-\d\d-\d\dT[\d:.]+Z Int16Array\(\d+\) \[/);
  });
});

/** The URL that a process says it listens on. */
function listening(service: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    service.stdout!.on("data", (part) => {
      text += part;
      const url = /listening on (\S+)\n/.exec(text);
      if (url) resolve(url[1]!);
    });
    let failure = "";
    service.stderr!.on("data", (part) => (failure += part));
    service.on("exit", (code) => reject(new Error(`it ended with ${code}: ${failure}`)));
  });
}
