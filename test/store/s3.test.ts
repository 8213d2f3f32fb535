import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open } from "../../src/index.ts";
import { S3Store } from "../../src/store/http/s3.ts";
import { addListingPage } from "../../src/store/http/s3-listing.ts";
import { WritableS3 } from "../../src/store/http/s3-write.ts";
import type { Listing, Store } from "../../src/store/store.ts";
import { tinyCollection } from "../view/tiny.ts";
import { KEYS, noS3Server, S3Server } from "./s3-server.ts";

const DATA = join(import.meta.dirname, "../../../shared/data");
const noData = existsSync(DATA) ? undefined : "needs ../shared/data";

describe("pages of ListObjectsV2", () => {
  it("give names below the prefix, and the next page's token", () => {
    const listing: Listing = { keys: [], prefixes: [] };
    const page =
      "<ListBucketResult><Prefix>a/</Prefix><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>" +
      "<Contents><Key>a/</Key></Contents><Contents><Key>a/x &amp; y</Key><ETag>&quot;e1&quot;</ETag><Size>7</Size></Contents>" +
      "<CommonPrefixes><Prefix>a/c/</Prefix></CommonPrefixes></ListBucketResult>";
    expect(addListingPage(listing, page, "a/")).toBe("t&1");
    const last =
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" +
      "<Contents><ETag></ETag><Key>a/%C3%A4+b%2B</Key><Size>8</Size></Contents></ListBucketResult>";
    expect(addListingPage(listing, last, "a/")).toBeUndefined();
    const stats = new Map([["x & y", { size: 7, stamp: '"e1"' }]]);
    expect(listing).toEqual({ keys: ["x & y", "ä b+"], prefixes: ["c"], stats });
  });
});

describe.skipIf(noS3Server)(`an S3 server${noS3Server ? ` (${noS3Server})` : ""}`, () => {
  const server = new S3Server();
  const odd = "ä ö&%41+!'()*#/b:c=d~";
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

  beforeAll(async () => {
    await server.start();
    for (const key of [`odd prefix+/${odd}`, "many/x"]) {
      mkdirSync(join(server.root, "bucket", key, ".."), { recursive: true });
      writeFileSync(join(server.root, "bucket", key), bytes);
    }
    for (let i = 0; i < 1234; i++) writeFileSync(join(server.root, "bucket/many", String(i)), "");
    if (noData === undefined) {
      for (const name of ["granules.zarr", "granules-spec1.icechunk", "granules-spec2.icechunk"])
        cpSync(join(DATA, name), join(server.root, "bucket", name), { recursive: true });
    }
  });
  afterAll(() => server.stop());

  const s3 = (over = {}) => ({ endpoint: server.endpoint, credentials: KEYS, ...over });

  it("gives values, ranges, sizes and listings of any names", async () => {
    const store = new S3Store("s3://bucket/odd prefix+/", s3());
    expect(await store.get(odd)).toEqual(bytes);
    expect(await store.getRange(odd, { offset: 7, length: 3 })).toEqual(bytes.subarray(7, 10));
    expect(await store.getRange(odd, { suffixLength: 2 })).toEqual(bytes.subarray(998));
    expect(await store.stat(odd)).toMatchObject({ size: 1000, stamp: expect.stringMatching(/./) });
    expect(await store.get("nope")).toBeUndefined();
    expect(await store.stat("nope")).toBeUndefined();
    expect(await store.list("")).toEqual({ keys: [], prefixes: [odd.split("/")[0]] });
    expect((await store.list(odd.split("/")[0]!))?.keys).toEqual(["b:c=d~"]);
  });

  it("lists page after page", async () => {
    const listing = await new S3Store("s3://bucket", s3()).list("many");
    expect(listing?.keys).toHaveLength(1235);
    expect(new Set(listing?.keys).size).toBe(1235);
  });

  it("refuses wrong keys and no keys with an error, never as absent", async () => {
    const wrong = new S3Store("s3://bucket/many", s3({ credentials: { ...KEYS, secretAccessKey: "x" } }));
    await expect(wrong.get("x")).rejects.toMatchObject({ code: "source_forbidden" });
    const none = new S3Store("s3://bucket/many", { endpoint: server.endpoint });
    await expect(none.get("x")).rejects.toThrow(/AWS_ACCESS_KEY_ID/);
    expect(await none.list("")).toBeUndefined();
    const absent = new S3Store("s3://bucket/many", { endpoint: server.endpoint, absent: [404, 403] });
    expect(await absent.get("x")).toBeUndefined();
  });

  it.skipIf(noData).each(["granules.zarr", "granules-spec1.icechunk#v1", "granules-spec2.icechunk"])(
    "holds a collection: %s",
    async (name) => {
      const [local, remote] = await Promise.all([
        open(join(DATA, name)),
        open(`s3://bucket/${name}`, { s3: s3() }),
      ]);
      const sql = "SELECT idx, granule_id, date FROM meta WHERE collection LIKE 'AMSR2%' ORDER BY idx";
      const rows = async (collection: typeof local) => {
        const ids: unknown[] = [];
        for await (const { vectors } of (await collection.query(sql)).batches()) ids.push(vectors);
        return ids;
      };
      expect(await rows(remote)).toEqual(await rows(local));
      const [a, b] = await Promise.all([local.view(sql), remote.view(sql)]);
      expect(b.count).toBe(4);
      const faces = [a.asStore(3), b.asStore(3)] as const;
      const path = (await firstArray(faces[0]))!;
      expect(await faces[1].get(path)).toEqual(await faces[0].get(path));
      await Promise.all([local.close(), remote.close()]);
    },
  );
});

describe.skipIf(noS3Server)(`an S3 server with ETags${noS3Server ? ` (${noS3Server})` : ""}`, () => {
  const server = new S3Server({ etags: true });
  beforeAll(async () => {
    await server.start();
    mkdirSync(join(server.root, "bucket"));
  });
  afterAll(() => server.stop());

  it("pins a view to a hundred chunks with a few requests, and notices one that is written anew", async () => {
    const s3 = { endpoint: server.endpoint, credentials: KEYS };
    const local = await tinyCollection(
      Array.from({ length: 100 }, (_, i) => ({ path: `g${i}`, arrays: { sst: {} } })),
      { cloud: Array.from({ length: 100 }, (_, i) => i) },
    );
    const bucket = new WritableS3("s3://bucket/many", s3);
    const document = JSON.parse(new TextDecoder().decode(await local.get("meta/cloud/zarr.json")));
    document.chunk_grid.configuration.chunk_shape = [1];
    document.codecs = [{ name: "bytes", configuration: { endian: "little" } }];
    local.set("meta/cloud/zarr.json", JSON.stringify(document));
    for (let i = 0; i < 100; i++)
      local.set(`meta/cloud/c/${i}`, new Uint8Array(new Float64Array([i]).buffer));
    for (const key of local.keys()) await bucket.set(key, (await local.get(key))!);

    const total = { requests: 0, bytes: 0 };
    const collection = await open("s3://bucket/many", { s3, total });
    const before = total.requests;
    const view = await collection.view([3], { layout: "stacked" });
    expect(total.requests - before).toBeLessThan(30);
    const other = await open("s3://bucket/many", { s3 });
    expect((await other.view([3])).definition.version).toBe(view.definition.version);

    await bucket.set("meta/cloud/c/70", new Uint8Array(new Float64Array([7]).buffer));
    const read = () =>
      view
        .asStore(3)
        .get("sst/c/0/0/0")
        .then(
          () => "there",
          ({ code }) => code,
        );
    await expect.poll(read, { timeout: 20_000 }).toBe("source_changed");
    const later = await open("s3://bucket/many", { s3 });
    const changed = await later.view([3]);
    expect(changed.definition.version).not.toBe(view.definition.version);
    await Promise.all([collection, other, later].map((one) => one.close()));
  });
});

/** Key of the first chunk of the first granule's array. */
async function firstArray(store: Store): Promise<string | undefined> {
  const walk = async (prefix: string): Promise<string | undefined> => {
    const { keys, prefixes } = (await store.list(prefix))!;
    const chunk = `${prefix}/c/0/0`;
    if (keys.includes("zarr.json") && prefixes.length === 0 && (await store.get(chunk))) return chunk;
    for (const name of prefixes) {
      const found = name === "meta" ? undefined : await walk(prefix === "" ? name : `${prefix}/${name}`);
      if (found) return found;
    }
    return undefined;
  };
  return walk("");
}
