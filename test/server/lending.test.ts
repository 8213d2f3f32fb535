/** Chunks that nothing keeps are read into memory that is used again: no answer may show another's bytes. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCollection } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { Lending } from "../../src/server/lending.ts";
import { openSource } from "../../src/store/open.ts";
import { tinyCollection } from "../view/tiny.ts";

const GRANULES = 24;
const folder = mkdtempSync(join(tmpdir(), "zarrsift-lending-"));
const copy = `${folder}-copy`;
const chunkOf = (granule: number) => Buffer.alloc(1_500_000 - 50_000 * granule, `granule ${granule};`);
let app: FastifyInstance;
let base: string;

beforeAll(async () => {
  const granules = Array.from({ length: GRANULES }, (_, i) => ({ path: `g${i}`, arrays: { sst: {} } }));
  const made = await tinyCollection(granules);
  for (const key of made.keys()) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    const granule = /^g(\d+)\/sst\/c/.exec(key)?.[1];
    writeFileSync(join(folder, key), granule ? chunkOf(Number(granule)) : (await made.get(key))!);
  }
  app = await serve(0);
  await app.listen({ port: 0, host: "127.0.0.1" });
  base = await makeView(app);
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function serve(cacheBytes: number, source = folder): Promise<FastifyInstance> {
  const collection = await openCollection(await openSource(source));
  return buildApp({ collections: [collection], logger: false, limits: { cacheBytes } });
}

async function makeView(app: FastifyInstance): Promise<string> {
  const answer = await app.inject({
    method: "POST",
    url: "/collections/meta/views",
    payload: { sql: "SELECT idx FROM meta" },
  });
  return new URL(answer.json().v3).pathname;
}

/** Each other chunk is asked for without its first and its last bytes. */
const FIRST = 1000;
const LAST = 299_999;
const wanted = (granule: number) =>
  granule % 2 ? chunkOf(granule).subarray(FIRST, LAST + 1) : chunkOf(granule);

/** Asks for chunks all at once; what came until a client that `leaves` had `leaves` bytes. */
async function answers(granules: readonly number[], leaves = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  for (const [i, granule] of granules.entries()) {
    const last = i === granules.length - 1 ? "Connection: close\r\n" : "";
    const range = granule % 2 ? `Range: bytes=${FIRST}-${LAST}\r\n` : "";
    socket.write(`GET ${base}/g${granule}/sst/c/0/0 HTTP/1.1\r\nHost: h\r\n${range}${last}\r\n`);
  }
  // By then the server has more to send than the system takes.
  await new Promise((resume) => setTimeout(resume, 100));
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of socket) {
    parts.push(part);
    size += part.length;
    if (size > leaves) break;
  }
  return Buffer.concat(parts);
}

/** The bodies of answers that came after one another, the last perhaps cut. */
function* bodies(answers: Buffer): Generator<Buffer> {
  for (let at = 0; at < answers.length; ) {
    const start = answers.indexOf("\r\n\r\n", at) + 4;
    const head = answers.toString("latin1", at, start);
    expect(head).toMatch(/^HTTP\/1\.1 20[06] /);
    at = start + Number(/content-length: (\d+)/i.exec(head)![1]);
    yield answers.subarray(start, at);
  }
}

describe("chunks of files, with no memory to keep them", () => {
  it("are what the files hold, for clients that are slow or leave too", async () => {
    const clients = Array.from({ length: 6 }, async (_, client) => {
      const asked = Array.from({ length: 16 }, (_, turn) => (client * 7 + turn * 5) % GRANULES);
      const leaves = client % 3 === 2 ? 5_000_000 : undefined;
      const got = [...bodies(await answers(asked, leaves))];
      if (!leaves) expect(got).toHaveLength(asked.length);
      for (const [i, bytes] of got.entries()) {
        const want = wanted(asked[i]!);
        const whole = !leaves || i < got.length - 1;
        expect(bytes.equals(whole ? want : want.subarray(0, bytes.length)), `answer ${i} of ${client}`).toBe(
          true,
        );
      }
    });
    await Promise.all(clients);
  });
});

describe("chunks of files that change under a view", () => {
  const chunk = join(copy, "g1/sst/c/0/0");
  const changes: Record<string, () => void> = {
    "written anew": () => writeFileSync(chunk, chunkOf(1)),
    deleted: () => rmSync(chunk),
    "of an array that is another": () => writeFileSync(join(copy, "g1/sst/zarr.json"), "{}"),
    "of a granule that has gone": () => rmSync(join(copy, "g1"), { recursive: true }),
    "of another table": () => writeFileSync(join(copy, "meta/array_location/c/0"), ""),
  };
  it.each(Object.entries(changes))("fail, %s", async (_, change) => {
    cpSync(folder, copy, { recursive: true });
    rmSync(join(copy, "g2/sst/c/0/0"));
    await new Promise((resume) => setTimeout(resume, 20));
    const app = await serve(0, copy);
    const view = await makeView(app);
    const get = (granule: number) => app.inject(`${view}/g${granule}/sst/c/0/0`);
    expect((await get(1)).rawPayload.equals(chunkOf(1))).toBe(true);
    expect((await get(2)).statusCode).toBe(404);
    await new Promise((resume) => setTimeout(resume, 20));
    change();
    const answer = await get(1);
    expect([answer.statusCode, answer.json().code]).toEqual([503, "source_changed"]);
    await app.close();
    rmSync(copy, { recursive: true });
  });
});

it("of chunks of files, memory keeps as many as fit, however many are read", async () => {
  const small = await serve(4_500_000);
  const view = await makeView(small);
  for (let pass = 1; pass <= 2; pass++) {
    for (let i = 0; i < 12; i++) {
      const { rawPayload } = await small.inject(`${view}/g${i}/sst/c/0/0`);
      expect(rawPayload.equals(chunkOf(i)), `chunk ${i} in pass ${pass}`).toBe(true);
    }
  }
  // The first three, of 1.5, 1.45 and 1.4 MB, and nothing else: 12 and 9 were read from files.
  const { body } = await small.inject("/metrics");
  expect(body).toContain('zarrsift_cache_lookups_total{result="hit"} 3\n');
  expect(body).toContain('zarrsift_cache_lookups_total{result="miss"} 21\n');
  await small.close();
});

describe("memory that is lent", () => {
  it("is lent again once it was given back, to one at a time", () => {
    const lending = new Lending(2 ** 20);
    const [one, two, three] = [lending.loan(), lending.loan(), lending.loan()];
    const first = one.memory(100_000);
    const second = two.memory(100_000);
    expect([first.length, second.length, first.buffer === second.buffer]).toEqual([100_000, 100_000, false]);
    expect([one.holds(first), one.holds(second), three.holds(first)]).toEqual([true, false, false]);
    one.giveBack();
    const third = three.memory(120_000);
    expect([third.length, third.buffer === first.buffer]).toEqual([120_000, true]);
    expect(lending.loan().memory(100_000).buffer).not.toBe(third.buffer);
  });

  it("is for good where the reader keeps it", () => {
    const lending = new Lending(2 ** 20);
    const loan = lending.loan((length) => length < 1000);
    expect([loan.holds(loan.memory(999)), loan.holds(loan.memory(1000))]).toEqual([false, true]);
  });

  it("is kept up to its budget", () => {
    const lending = new Lending(2 ** 18);
    const loans = Array.from({ length: 3 }, () => lending.loan());
    const lent = loans.map((loan) => loan.memory(2 ** 17).buffer);
    for (const loan of loans) loan.giveBack();
    const again = Array.from({ length: 3 }, () => lending.loan().memory(2 ** 17).buffer);
    expect(again.filter((buffer) => lent.includes(buffer))).toHaveLength(2);
    const large = lending.loan();
    expect(large.memory(2 ** 18 + 1).buffer.byteLength).toBe(2 ** 18 + 1);
    expect(lending.loan().memory(0)).toHaveLength(0);
  });
});
