import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { listingPage } from "../../src/server/listing.ts";
import { HttpStore } from "../../src/store/http/http.ts";
import { parseListing } from "../../src/store/http/listing.ts";

const URL_ = "http://host/data.zarr/meta/";

describe("an index page", () => {
  it("of nginx", () => {
    const page = `<html><head><title>Index of /data.zarr/meta/</title></head><body><h1>Index of /data.zarr/meta/</h1>
      <hr><pre><a href="../">../</a>
      <a href="date/">date/</a>                 23-Nov-2026 06:41       -
      <a href="a%20%26%20b/">a &amp; b/</a>     23-Nov-2026 06:41       -
      <a href="zarr.json">zarr.json</a>         23-Nov-2026 06:41     132
      </pre><hr></body></html>`;
    expect(parseListing(page, URL_)).toEqual({ keys: ["zarr.json"], prefixes: ["a & b", "date"] });
  });

  it("of Apache, with links that sort and one to the parent", () => {
    const page = `<table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
      <tr><td><a href="/data.zarr/">Parent Directory</a></td></tr>
      <tr><td><a href="date/">date/</a></td></tr>
      <tr><td><A HREF='bbox/'>bbox/</A></td></tr>
      <tr><td><a class=x href=.zattrs>.zattrs</a></td></tr></table>`;
    expect(parseListing(page, URL_)).toEqual({ keys: [".zattrs"], prefixes: ["bbox", "date"] });
  });

  it("of our own server, whatever the names", () => {
    const children = ["zarr.json", "date/", "a b/", "ä&'\"<%41>/", "http:x", "c:d/"];
    const names = { keys: ["http:x", "zarr.json"], prefixes: ["a b", "c:d", "date", "ä&'\"<%41>"] };
    expect(parseListing(listingPage("/data.zarr/meta/", "meta", children), URL_)).toEqual(names);
    const slashless = "http://host/data.zarr/meta";
    expect(parseListing(listingPage("/data.zarr/meta", "meta", children), slashless)).toEqual(names);
  });

  it("leaves out whatever is not right below", () => {
    const page = `<a href="/">top</a><a href="http://other/data.zarr/meta/x">other</a><a href="a/b">deep</a><a href="#a">a</a>
      <a href="x?y">query</a><a href="%2e%2e/">up</a><a href="a%2Fb">slash</a><a href="%zz">bad</a><a href="">self</a>
      <a href="./">self</a><a href="http://host/data.zarr/meta/abs">absolute</a><a href="./rel/">relative</a>
      <a href="mailto:a@b">mail</a><a name="n">no link</a><a href="&#x64;ate">date</a><a href="//[">bad</a>`;
    expect(parseListing(page, URL_)).toEqual({ keys: ["abs", "date"], prefixes: ["rel"] });
  });
});

const python = fileURLToPath(
  new URL(process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python", new URL("../../", import.meta.url)),
);

describe.skipIf(!existsSync(python))("Python's http.server", () => {
  it("is listed and read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-list-"));
    mkdirSync(join(folder, "a & ü/c"), { recursive: true });
    writeFileSync(join(folder, "zarr.json"), "{}");
    writeFileSync(join(folder, "a & ü/c/0"), "0123456789");
    const child = spawn(python, [
      "-u",
      "-m",
      "http.server",
      "0",
      "--bind",
      "127.0.0.1",
      "--directory",
      folder,
    ]);
    try {
      const port = await new Promise<string>((resolve) => {
        let text = "";
        child.stdout.on("data", (part) => {
          text += part;
          const match = /port (\d+)/.exec(text);
          if (match) resolve(match[1]!);
        });
      });
      const store = new HttpStore(`http://127.0.0.1:${port}`);
      expect(await store.list("")).toEqual({ keys: ["zarr.json"], prefixes: ["a & ü"] });
      expect(await store.list("a & ü")).toEqual({ keys: [], prefixes: ["c"] });
      expect(await store.list("nope")).toBeUndefined();
      const range = await store.getRange("a & ü/c/0", { suffixLength: 3 });
      expect(new TextDecoder().decode(range)).toBe("789");
    } finally {
      child.kill();
      rmSync(folder, { recursive: true });
    }
  });
});
