import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runDemo } from "../../src/demo/index.ts";
import { built, outcome, start as program, zarrsift } from "../cli/program.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const python = process.env.ZARRSIFT_PYTHON ?? join(root, ".venv/bin/python");

/** The demo running, what it printed so far, and how to end it. */
interface Running {
  text: string;
  /** What it said on stderr. */
  log: string;
  url: string;
  end(): Promise<void>;
}

async function start(options: { port: number; directory?: string }): Promise<Running> {
  const stop = new AbortController();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const running: Running = { text: "", log: "", url: "", end: async () => {} };
  const done = runDemo({
    host: "127.0.0.1",
    ...options,
    stdout,
    stderr,
    signal: stop.signal,
  });
  running.end = async () => {
    stop.abort();
    await done;
  };
  stderr.on("data", (part) => {
    running.log += part;
  });
  const ready = new Promise<void>((resolve) => {
    stdout.on("data", (part) => {
      running.text += part;
      const url = /^listening on (\S+)$/m.exec(running.text);
      if (url) {
        running.url = url[1]!;
        resolve();
      }
    });
  });
  await Promise.race([ready, done.then(() => Promise.reject(new Error("the demo ended by itself")))]);
  return running;
}

/** The lines to paste below a heading, as printed. */
function pasted(text: string, heading: string): string {
  const [, block] = text.split(new RegExp(`^${heading} .*:\n`, "m"));
  const lines = block!.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("  "));
  return lines
    .slice(0, end)
    .map((line) => line.slice(2))
    .join("\n");
}

describe("zarrsift demo", () => {
  const work = mkdtempSync(join(tmpdir(), "zarrsift-demo-run-"));
  let demo: Running;

  beforeAll(async () => {
    demo = await start({ port: 0, directory: join(work, "demo.zarr") });
  });

  afterAll(async () => {
    await demo?.end();
    rmSync(work, { recursive: true });
  });

  it("asks the founding query and shows the answer", () => {
    expect(demo.text).toContain("SELECT idx FROM meta\nWHERE date < TIMESTAMP '2025-07-01 00:00:00'");
    const rows = [
      ...demo.text.matchAll(/^ *(\d+) +(2025-06-\S+) +(Kittiwake-[AB]) .*KTW[AB]_L2P_SST_\w+$/gm),
    ];
    expect(rows.length).toBeGreaterThan(2);
    const [, count] = /^These (\d+) granules/m.exec(demo.text)!;
    expect(rows).toHaveLength(Number(count));
  });

  it("prints three lines of JavaScript that read the view", { timeout: 60_000 }, async () => {
    const lines = pasted(demo.text, "JavaScript");
    expect(lines.split("\n")).toHaveLength(3);
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", lines], { cwd: root });
    expect(stdout).toMatch(/^2025-06-\d\dT[\d:.]+Z [\d.]+ \[ \d+, 24 \] Int16Array\(\d+\)/);
  });

  it.skipIf(!existsSync(python))(
    "prints three lines of Python that read the view",
    { timeout: 60_000 },
    async () => {
      const lines = pasted(demo.text, "Python");
      expect(lines.split("\n")).toHaveLength(3);
      const { stdout, stderr } = await run(python, ["-W", "error", "-c", lines]);
      const [date, cloud, kelvin, unit] = stdout.trim().split(" ");
      expect(date).toMatch(/^2025-06-/);
      expect(Number(cloud)).toBeGreaterThanOrEqual(0);
      expect(Number(kelvin)).toBeGreaterThan(290);
      expect(Number(kelvin)).toBeLessThan(306);
      expect([unit, stderr]).toEqual(["K", ""]);
    },
  );

  it("says whose the port is where it is another demo's", { timeout: 60_000 }, async () => {
    const port = Number(new URL(demo.url).port);
    const second = await start({ port, directory: join(work, "second.zarr") });
    await second.end();
    expect(second.log).toMatch(
      new RegExp(`port ${port} is taken by another demo, which still runs: this one`),
    );
    expect(second.text).toContain("The collection stays in ");
    expect(existsSync(join(work, "second.zarr", "zarr.json"))).toBe(true);
  });

  it("takes the next port where one is taken, and leaves nothing behind", { timeout: 60_000 }, async () => {
    const blocker = createServer();
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, "127.0.0.1", () => resolve((blocker.address() as { port: number }).port));
    });
    const second = await start({ port });
    try {
      expect(Number(new URL(second.url).port)).toBeGreaterThan(port);
      expect((await fetch(`${second.url}/healthz`)).status).toBe(200);
      expect(second.log).toContain(
        `port ${port} is taken: this one listens on port ${new URL(second.url).port}`,
      );
    } finally {
      await second.end();
      blocker.close();
    }
    const [, directory] = / of Zarr in (\S+)$/m.exec(second.text)!;
    expect(existsSync(directory!)).toBe(false);
    await expect(fetch(`${second.url}/healthz`)).rejects.toThrow();
  });
});

describe.skipIf(!built)("zarrsift demo as a program", () => {
  const made = () => readdirSync(tmp).filter((name) => name.startsWith("zarrsift-demo-"));
  const tmp = mkdtempSync(join(tmpdir(), "zarrsift-demo-ends-"));
  afterAll(() => rmSync(tmp, { recursive: true }));

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "leaves nothing behind when %s ends it",
    { timeout: 60_000 },
    async (signal) => {
      const child = program(["demo", "--port", "0"], { TMPDIR: tmp });
      const ended = outcome(child);
      while (made().length === 0) await sleep(20);
      await sleep(50);
      child.kill(signal);
      expect((await ended).code).toBe(0);
      expect(made()).toEqual([]);
    },
  );

  it("stops making the collection when it is told to end", { timeout: 60_000 }, async () => {
    const child = program(["demo", "--port", "0"], { TMPDIR: tmp });
    const ended = outcome(child);
    while (made().length === 0) await sleep(5);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 0, stdout: "" });
    expect(made()).toEqual([]);
  });

  it("leaves nothing behind when it is told twice", { timeout: 60_000 }, async () => {
    const child = program(["demo", "--port", "0"], { TMPDIR: tmp });
    const ended = outcome(child);
    while (made().length === 0) await sleep(20);
    child.kill("SIGHUP");
    await sleep(20);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(143);
    expect(made()).toEqual([]);
  });

  it("keeps the collection only in a directory that is empty", async () => {
    writeFileSync(join(tmp, "note"), "mine");
    const refused = await zarrsift("demo", "--keep", tmp);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is not empty \(it holds note\)/),
    });
    expect(readdirSync(tmp)).toEqual(["note"]);
    expect((await zarrsift("demo", "--keep", join(tmp, "note", "x"))).code).toBe(2);
  });
});
