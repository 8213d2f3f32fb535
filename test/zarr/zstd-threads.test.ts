/** Large chunks are decoded in other threads where Node has no zstd of its own, and the process still ends. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../house/sources.ts";

const SCRIPT = `
import { decodeInThread, zstdCodec } from "./zstd.mjs";
const codec = zstdCodec({});
const plain = new Uint8Array(3_000_000).map((_, i) => (i * 7919) >> 5);
const bytes = await codec.encode(plain);
let inThreads = 0;
for (let i = 0; i < 400 && inThreads < 8; i++) {
  const outs = await Promise.all([1, 2, 3].map(() => decodeInThread(bytes)));
  for (const out of outs.filter(Boolean)) {
    inThreads++;
    if (Buffer.compare(out, plain) !== 0) throw new Error("decoded wrongly");
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const damaged = bytes.slice();
damaged.fill(0xff, 100, bytes.length - 100);
const failure = await decodeInThread(damaged).then((out) => out ?? "not in a thread", (error) => error.message);
const again = await decodeInThread(bytes);
console.log(JSON.stringify({ inThreads, failure, again: Buffer.compare(again, plain) }));
`;

const folder = mkdtempSync(join(tmpdir(), "zarrsift-zstd-"));

/** As JavaScript, which Node 20 runs in a process of its own. */
beforeAll(async () => {
  const codecs = ["zstd.ts", "zstd-threads.ts"].map((name) => join(ROOT, "src/zarr/codecs", name));
  writeFileSync(join(folder, "entry.ts"), codecs.map((path) => `export * from "${path}";`).join("\n"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const built = await rolldown({ input: join(folder, "entry.ts"), platform: "node", external: /^numcodecs/ });
  await built.write({ file: join(folder, "zstd.mjs"), format: "es" });
  await built.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("zstd in threads", () => {
  it("decodes as here, says what is damaged, goes on after it, and does not keep the process", () => {
    const script = ["--input-type=module", "-e", SCRIPT];
    const run = execFileSync(process.execPath, script, { cwd: folder, timeout: 60_000 });
    const { inThreads, failure, again } = JSON.parse(run.toString());
    expect(inThreads).toBeGreaterThanOrEqual(8);
    expect(failure).toContain("zstd codec error");
    expect(again).toBe(0);
  });
});
