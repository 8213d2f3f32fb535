import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ambientS3 } from "../../src/cli/aws.ts";
import { readConfig } from "../../src/cli/config.ts";
import { CONFIG_SCHEMA } from "../../src/cli/config-schema.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string, name = "c.yaml"): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const FULL = `
limits: { rows: 5 }
collections:
  winds:
    source: data/winds.zarr
    columns: [date, bbox]
    fields: [date]
    virtual_chunks: [{ prefix: data/nc }]
    location: { column: id, template: "/groups/{id}" }
  remote:
    source: s3://bucket/x.icechunk
    ref: v1
    absent: [404, 403]
    s3:
      endpoint: http://127.0.0.1:9000
      credentials: { access_key_id_env: KEY, secret_access_key_env: SECRET, session_token_env: TOKEN }
    virtual_chunks:
      - prefix: https://example.org/data/
      - prefix: s3://other/
        region: eu-west-1
`;

describe("the configuration", () => {
  it("is published as it is checked", () => {
    const published = readFileSync(join(import.meta.dirname, "../../docs/config.schema.json"), "utf8");
    expect(JSON.parse(published)).toEqual(CONFIG_SCHEMA);
  });

  it("names collections, keys by environment variable, and limits", () => {
    const config = readConfig(written(FULL), { KEY: "k", SECRET: "s", TOKEN: "t" });
    expect(config.limits).toEqual({ rows: 5 });
    const [winds, remote] = config.sources;
    expect(winds).toMatchObject({
      name: "winds",
      source: join(folder, "data/winds.zarr"),
      options: {
        columns: ["date", "bbox"],
        fields: ["date"],
        location: { column: "id", template: "/groups/{id}" },
        virtualChunks: [{ prefix: `file://${join(folder, "data/nc")}` }],
      },
    });
    expect(winds?.options.s3).toBeUndefined();
    expect(remote).toMatchObject({
      source: "s3://bucket/x.icechunk",
      ref: "v1",
      options: { absent: [404, 403] },
    });
    expect(remote?.options.s3).toMatchObject({
      endpoint: "http://127.0.0.1:9000",
      credentials: { accessKeyId: "k", secretAccessKey: "s", sessionToken: "t" },
    });
    expect(remote?.options.virtualChunks).toEqual([
      { prefix: "https://example.org/data/" },
      { prefix: "s3://other/", region: "eu-west-1" },
    ]);
  });

  it.each([
    ["limits:\n  row: 5\n", /c\.yaml:2: unknown setting row; did you mean rows\?/],
    ["limits:\n\n  rows: many\n", /c\.yaml:3: limits\.rows must be integer, not "many"/],
    ["colections: {}\n", /c\.yaml:1: unknown setting colections; did you mean collections\?/],
    ["collections:\n  a:\n    ref: x\n", /c\.yaml:3: collections\.a needs source/],
    [
      "collections:\n  a:\n    source: x\n    s3:\n      endpiont: x\n",
      /c\.yaml:5: unknown setting endpiont/,
    ],
    ["collections:\n  a/b: {source: x}\n", /c\.yaml:\d: collections may not be named "a\/b"/],
    [
      "collections:\n  a:\n    source: x\n    fields: date\n",
      /c\.yaml:4: collections\.a\.fields must be array/,
    ],
    [
      "collections:\n  a:\n    source: x\n    virtual_chunks:\n      - prefix: s3://a/\n      - prefix: gs://b/\n",
      /c\.yaml:6: .*prefix must match pattern/,
    ],
    ["- 1\n", /c\.yaml:1: the file must be object/],
    ["limits: {\n", /c\.yaml:\d: /],
    [
      "collections:\n  a:\n    source: *gone\n    ref: &b x\n    absent: *b\n",
      /c\.yaml:3: Unresolved alias.*gone/,
    ],
    [
      `a: &a [1, 1]\n${[..."bcdefgh"].map((n, i) => `${n}: &${n} [${`*${"abcdefg"[i]}, `.repeat(9)}]\n`).join("")}`,
      /c\.yaml:8: Excessive alias count/,
    ],
    [FULL, /c\.yaml:16: the environment variable KEY is not set/],
  ])("names the line of what is wrong: %j", (text, message) => {
    expect(() => readConfig(written(text), {})).toThrow(message);
  });
});

describe("this user's S3 keys", () => {
  it("come from the environment, else from a profile", () => {
    const credentials = written(
      "[default]\naws_access_key_id = d\naws_secret_access_key = e\n[other]\naws_access_key_id=a\naws_secret_access_key=b=c\n",
      "credentials",
    );
    const config = written("[profile other]\nregion = eu-west-1\nendpoint_url = http://h:1\n", "config");
    const env = { AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_CONFIG_FILE: config };
    expect(ambientS3(env).credentials).toMatchObject({ accessKeyId: "d", secretAccessKey: "e" });
    expect(ambientS3({ ...env, AWS_PROFILE: "other" })).toMatchObject({
      region: "eu-west-1",
      endpoint: "http://h:1",
      credentials: { accessKeyId: "a", secretAccessKey: "b=c" },
    });
    const keys = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "y", AWS_REGION: "r" };
    expect(ambientS3({ ...env, ...keys })).toMatchObject({ region: "r", credentials: { accessKeyId: "x" } });
    const none = { AWS_SHARED_CREDENTIALS_FILE: join(folder, "no"), AWS_CONFIG_FILE: join(folder, "no") };
    expect(ambientS3(none).credentials).toBeUndefined();
  });
});
