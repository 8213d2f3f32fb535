import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { isDataUrl, parseDataUrl, pathOf } from "../../src/server/data-url.ts";

const parse = (target: string) => parseDataUrl(target, 8192);

function codeOf(target: string): string {
  try {
    parse(target);
  } catch (error) {
    if (isZarrsiftError(error)) return error.code;
    throw error;
  }
  return "none";
}

describe("URLs of views", () => {
  const view = { kind: "view", id: "abc", face: 3, slash: false };

  it("lead to a face and a key", () => {
    expect(parse("/views/abc/v3/g/a/c/0/1")).toEqual({ ...view, key: "g/a/c/0/1" });
    expect(parse("/views/abc/v2/.zmetadata")).toEqual({ ...view, face: 2, key: ".zmetadata" });
    expect(parse("/views/abc/v3")).toEqual({ ...view, key: "" });
    expect(parse("/views/abc/v3/")).toEqual({ ...view, key: "", slash: true });
    expect(parse("/views/abc/v3/g/")).toEqual({ ...view, key: "g", slash: true });
  });

  it("take only the first face: what follows is the key", () => {
    expect(parse("/views/abc/v3/v2/zarr.json")).toEqual({ ...view, key: "v2/zarr.json" });
  });

  it("decode each segment once", () => {
    expect(parse("/views/abc/v3/a%20b/c%2525+d/%C3%BC").key).toBe("a b/c%25+d/ü");
  });

  it("leave a query string without slashes aside", () => {
    expect(parse("/views/abc/v3/zarr.json?x=1").key).toBe("zarr.json");
    expect(codeOf("/views/abc/v3?token=T/zarr.json")).toBe("bad_request");
  });

  it.each([
    "/views/abc/v3//zarr.json",
    "/views/abc/v3/g//a",
    "/views/abc/v3/g//",
    "/views/abc/v3/../v3/zarr.json",
    "/views/abc/v3/%2e%2E/secret",
    "/views/abc/v3/./zarr.json",
    "/views/abc/v3/g%2Fa/zarr.json",
    "/views/abc/v3/a%00b",
    "/views/abc/v3/%zz",
    "/views/abc/v3/%C3",
    "/views/abc/v3/ü",
    "/views/abc/v4/zarr.json",
    "/views/abc/v33/zarr.json",
    "/views/abc/zarr.json",
  ])("refuse what is no key: %s", (target) => {
    expect(isDataUrl(target)).toBe(true);
    expect(codeOf(target)).toBe("bad_request");
  });
});

describe("URLs with SQL in them", () => {
  const sql = "SELECT idx FROM meta WHERE a/b < 3 AND name LIKE '50%+ü'";

  it("hold it percent-encoded", () => {
    expect(parse(`/collections/gr%20n/sql/${encodeURIComponent(sql)}/v3/zarr.json`)).toEqual({
      kind: "sql",
      collection: "gr n",
      ref: undefined,
      sql,
      face: 3,
      key: "zarr.json",
      slash: false,
    });
  });

  it("hold it base64url", () => {
    const code = Buffer.from(sql).toString("base64url");
    expect(parse(`/collections/c/sql64/${code}/v2/.zgroup`)).toMatchObject({ sql, face: 2, key: ".zgroup" });
    expect(parse(`/collections/c/sql64/${Buffer.from("ab").toString("base64")}/v2`)).toMatchObject({
      sql: "ab",
    });
  });

  it("pin a ref", () => {
    expect(parse("/collections/c@v1/sql/x/v3")).toMatchObject({ collection: "c", ref: "v1" });
    expect(parse("/collections/c@feature%2Fa@b/sql/x/v3")).toMatchObject({
      collection: "c",
      ref: "feature/a@b",
    });
  });

  it("end the SQL at the first literal face", () => {
    expect(parse("/collections/c/sql/x%2Fv3%2Fy/v2/v3/z")).toMatchObject({
      sql: "x/v3/y",
      face: 2,
      key: "v3/z",
    });
  });

  it.each([
    ["/collections/c/sql/SELECT a/b FROM meta/v3".replaceAll(" ", "%20"), "bad_request"],
    ["/collections/c/sql/x/zarr.json", "bad_request"],
    ["/collections/c/sql/x", "bad_request"],
    ["/collections/c/sql", "bad_request"],
    ["/collections/c/sql/%20/v3", "bad_request"],
    ["/collections/c/sql/%E2%82/v3", "bad_request"],
    ["/collections/c/sql64/$$/v3", "bad_request"],
    ["/collections/c/sql64/abcde/v3", "bad_request"],
    ["/collections/c/sql64/_____w/v3", "bad_request"],
  ])("refuse %s: %s", (target, code) => {
    expect(isDataUrl(target)).toBe(true);
    expect(codeOf(target)).toBe(code);
  });

  it("may hold 8 KiB of text, which is more when encoded", () => {
    expect(codeOf(`/collections/c/sql/${"a".repeat(8193)}/v3`)).toBe("url_too_long");
    expect(codeOf(`/collections/c/sql64/${"YWFh".repeat(2731)}/v3`)).toBe("url_too_long");
    const long = "ü".repeat(4096);
    expect(parse(`/collections/c/sql/${encodeURIComponent(long)}/v3`)).toMatchObject({ sql: long });
    expect(codeOf(`/collections/c/sql/${encodeURIComponent(`${long}a`)}/v3`)).toBe("url_too_long");
  });
});

describe("other URLs", () => {
  it.each([
    "/",
    "/views",
    "/views/",
    "/views/abc",
    "/views/abc/",
    "/views/abc?x=/v3/",
    "/collections/c",
    "/collections/c/query",
    "/collections/c/sqlite",
    "/VIEWS/abc/v3/zarr.json",
  ])("are the router's: %s", (target) => expect(isDataUrl(target)).toBe(false));

  it("may be written with a host", () => {
    expect(pathOf("http://host:1/views/a/v3")).toBe("/views/a/v3");
    expect(pathOf("http://host")).toBe("/");
    expect(pathOf("/views/http://x")).toBe("/views/http://x");
  });
});
