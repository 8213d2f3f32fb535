/** The example page in Chromium, on files of another origin, next to the library in Node. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zarr from "zarrita";
import { bundle } from "../../scripts/lib/bundle.mjs";
import { makeDemoCollection } from "../../src/demo/collection.ts";
import { buildIndexes, cellAt, open, openWritable, textCell } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { ROOT, textOf } from "../house/sources.ts";
import { directoryHandler, TestServer } from "../store/server.ts";
import { launch, noChromium } from "./chromium.ts";
import { filesHandler, withCors } from "./page.ts";

let work: string;
let data: string;

/** What a query answers in Node, as text. */
async function rowsOf(source: string, sql: string): Promise<string[][]> {
  const collection = await open(source);
  const rows: string[][] = [];
  for await (const { vectors, length } of (await collection.query(sql)).batches()) {
    for (let i = 0; i < length; i++) rows.push(vectors.map((v) => textCell(cellAt(v, i), v.type)));
  }
  await collection.close();
  return rows;
}

describe.skipIf(noChromium)("examples/browser", () => {
  let browser: Browser;
  let site: TestServer;
  let files: TestServer;

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "zarrsift-page-"));
    data = join(work, "demo");
    await bundle(join(work, "dist/browser"));
    await makeDemoCollection(data);
    const store = await openWritable(data);
    await buildIndexes(store, store);
    site = await TestServer.start(
      filesHandler({ examples: join(ROOT, "examples"), dist: join(work, "dist") }),
    );
    files = await TestServer.start(withCors(directoryHandler(data)));
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    await files?.stop();
    rmSync(work, { recursive: true });
  });

  /** The page, once it has answered its first query; what its console said is an error. */
  async function show(source: string) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1100 } });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`${site.url}/examples/browser/index.html?source=${encodeURIComponent(source)}`);
    const status = page.locator("output");
    const says = async (text: RegExp) => {
      await status.filter({ hasText: text }).waitFor();
      return (await status.textContent())!;
    };
    return { page, errors, says };
  }

  /** Pixels of the canvas that are not its background. */
  const drawn = () => {
    const canvas = document.querySelector("canvas")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  };

  it("lists and draws what Node finds, and a granule's own numbers", async () => {
    const { page, errors, says } = await show(files.url);
    const sql = await page.locator("textarea").inputValue();
    const collection = await open(files.url);
    const expected = await rowsOf(data, sql);
    expect(expected.length).toBeGreaterThan(2);
    expect(await says(/granules/)).toMatch(new RegExp(`^${expected.length} granules \\(\\d+ requests`));
    const rows = await page
      .locator("tbody tr")
      .evaluateAll((found) =>
        found.map((row) => Array.from((row as HTMLTableRowElement).cells, (cell) => cell.textContent)),
      );
    expect(rows).toEqual(expected);

    const before = await page.evaluate(drawn);
    await page.locator("tbody tr").first().click();
    const said = await says(/^granule /);
    const view = await collection.view(`${sql} LIMIT 1`);
    const root = zarr.root(view.store(3));
    const locations = await zarr.get(
      await zarr.open.v3(root.resolve("meta/array_location"), { kind: "array" }),
    );
    const path = (locations.data as string[])[0];
    const sst = await zarr.open.v3(root.resolve(`${path}/sea_surface_temperature`), { kind: "array" });
    const packed = Array.from((await zarr.get(sst)).data as Int16Array).filter((value) => value !== -32768);
    const kelvin = (value: number) => (value * 0.01 + 273.15).toFixed(2);
    const range = `${kelvin(Math.min(...packed))} to ${kelvin(Math.max(...packed))} kelvin`;
    expect(said).toContain(`granule ${sst.attrs.idx}, ${packed.length} cells: ${range} (`);
    expect(await page.evaluate(drawn)).toBeGreaterThan(before + 1000);
    expect(errors).toEqual([]);
    if (process.env.ZARRSIFT_SCREENSHOT) await page.screenshot({ path: process.env.ZARRSIFT_SCREENSHOT });
    await collection.close();
    await page.close();
  });

  it("reads what a zarrsift server has, tells what is wrong with SQL, and keeps its state in the URL", async () => {
    const collection = await open(data, { name: "demo" });
    const app = await buildApp({ collections: [collection] });
    const server = await app.listen({ host: "127.0.0.1", port: 0 });
    const { page, says } = await show(`${server}/collections/demo/sql/SELECT%20*%20FROM%20meta/v3`);
    await says(/^\d+ granules/);
    await page.locator("textarea").fill("SELECT plattform FROM meta");
    await page.getByText("Find", { exact: true }).click();
    expect(await says(/plattform/)).toMatch(/Unknown column.*platform/);
    await page
      .locator("textarea")
      .fill("SELECT day_night, count(*) AS n FROM meta GROUP BY day_night ORDER BY n");
    await page.getByText("Find", { exact: true }).click();
    await says(/^\d granules/);
    await page.reload();
    await says(/^\d granules/);
    expect(await page.locator("th").allTextContents()).toEqual(["day_night", "n"]);
    await app.close();
    await collection.close();
    await page.close();
  });

  it("README.md has a page that runs, on files of its own origin", async () => {
    const [, html] = /^```html\n(.*?)^```/ms.exec(textOf("README.md"))!;
    const bundled = filesHandler({ dist: join(work, "dist") });
    const granules = directoryHandler(data);
    const server = await TestServer.start((request, response) => {
      if (request.url === "/") response.writeHead(200, { "content-type": "text/html" }).end(html);
      else if (request.url!.startsWith("/dist/")) bundled(request, response);
      else granules(Object.assign(request, { url: request.url!.replace("/granules.zarr", "") }), response);
    });
    const page = await browser.newPage();
    const lines: string[] = [];
    const tenth = new Promise<void>((resolve) => {
      page.on("console", async (message) => {
        const [cells] = await Promise.all(message.args().map((arg) => arg.jsonValue()));
        if (message.type() === "log" && lines.push(cells) === 10) resolve();
      });
    });
    await page.goto(server.url);
    await tenth;
    expect(lines).toEqual(await rowsOf(data, "SELECT date, bbox FROM meta ORDER BY date LIMIT 10"));
    await server.stop();
    await page.close();
  });
});
