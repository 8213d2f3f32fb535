import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { built, lineFrom, outcome, start, zarrsift } from "./program.ts";

const STORE = fileURLToPath(new URL("../../../shared/data/granules.zarr", import.meta.url));
const state = mkdtempSync(join(tmpdir(), "zarrsift-serve-"));
afterAll(() => rmSync(state, { recursive: true }));

/** A running `serve` with its base URL. */
async function serving(...words: string[]) {
  const child = start(["serve", STORE, "--port", "0", "--state-dir", state, ...words]);
  const ended = outcome(child);
  const line = await lineFrom(child, /^listening on /);
  return { child, ended, base: line.replace("listening on ", "") };
}

async function json(url: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return (await (await fetch(url, init)).json()) as Record<string, unknown>;
}

describe.skipIf(!built || !existsSync(STORE))("serve", () => {
  it("listens, keeps its views over a restart, and ends with status 0 on a signal", async () => {
    const first = await serving();
    expect(first.base).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await json(`${first.base}/collections`)).toMatchObject({
      collections: [{ name: "granules", rows: 49 }],
    });
    const view = await json(`${first.base}/collections/granules/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ idx: [3, 1] }),
    });
    expect(view.count).toBe(2);
    first.child.kill("SIGTERM");
    const { code, stdout } = await first.ended;
    expect([code, stdout]).toEqual([0, `listening on ${first.base}\n`]);

    const second = await serving();
    expect((await fetch(`${second.base}/views/${view.id}/v3/zarr.json`)).status).toBe(200);
    second.child.kill("SIGINT");
    expect((await second.ended).code).toBe(0);
  });

  it("fails in one line where its port is taken", async () => {
    const first = await serving();
    const { port } = new URL(first.base);
    const again = await zarrsift("serve", STORE, "--port", port, "--state-dir", state);
    expect(again.code).toBe(1);
    expect(again.stderr.trim().split("\n").at(-1)).toMatch(
      new RegExp(`^zarrsift: port ${port} on 127.0.0.1 is taken`),
    );
    first.child.kill("SIGTERM");
    await first.ended;
  });

  it("takes names, limits and a public URL", async () => {
    const config = join(state, "config.json");
    writeFileSync(config, '{"limits": {"rows": 5}}');
    const child = start([
      "serve",
      `winds=${STORE}`,
      "--port",
      "0",
      "--state-dir",
      state,
      "--config",
      config,
      "--public-url",
      "https://example.org/zarr",
    ]);
    const ended = outcome(child);
    const base = (await lineFrom(child, /^listening on /)).replace("listening on ", "");
    const post = { method: "POST", headers: { "content-type": "application/json" } };
    const sql = (text: string) => ({ ...post, body: JSON.stringify({ sql: text }) });
    const view = await json(`${base}/collections/winds/views`, sql("SELECT idx FROM meta LIMIT 1"));
    expect(view.v3).toMatch(/^https:\/\/example\.org\/zarr\/views\//);
    const many = await fetch(`${base}/collections/winds/query`, sql("SELECT idx FROM meta"));
    expect(many.status).toBe(413);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });

  it("refuses default fields that are no columns, by their line", async () => {
    const file = join(state, "fields.yaml");
    writeFileSync(file, `collections:\n  winds:\n    source: ${STORE}\n    fields:\n      - dat\n`);
    const { code, stderr } = await zarrsift("serve", "--config", file, "--port", "0");
    expect(stderr).toContain("fields.yaml:5: dat is no column of winds; did you mean date?");
    expect(code).toBe(2);
  });

  it("refuses a configuration it does not understand", async () => {
    const file = join(state, "bad.json");
    for (const [text, message] of [
      ['{"limits": {"row": 5}}', "unknown setting row; did you mean rows?"],
      ['{"limits": {"rows": "many"}}', 'limits.rows must be integer, not "many"'],
      ['{"sources": {}}', "unknown setting sources"],
      ["[1]", "the file must be object"],
      ["limits: {", ":1: "],
    ] as const) {
      writeFileSync(file, text);
      const { code, stderr } = await zarrsift("serve", STORE, "--config", file);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });
});
