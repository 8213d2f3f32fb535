/** The bundle as it is built: its size, and that a page can load it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, transferred } from "../../scripts/lib/bundle.mjs";
import { ROOT, textOf } from "../house/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-bundle-"));
let files: Awaited<ReturnType<typeof bundle>>;

beforeAll(async () => {
  files = await bundle(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The package as others install it. */
const installed = join(ROOT, "dist/index.js");
const kilobytes = (bytes: number) => Math.round(bytes / 1000);

describe("the browser bundle", () => {
  it("is below 250 kB gzipped, codecs come later, and README says how much", () => {
    const { first, all } = transferred(files, "zarrsift.js");
    expect(first).toBeLessThan(250_000);
    expect(all - first).toBeGreaterThan(250_000);
    const [, said, saidAll] = /(\d+) kB gzipped, (\d+) kB with every codec/.exec(textOf("README.md"))!;
    expect(Math.abs(kilobytes(first) - Number(said))).toBeLessThan(20);
    expect(Math.abs(kilobytes(all) - Number(saidAll))).toBeLessThan(40);
  });

  it("loads codecs late, without Icechunk, and the codecs once for zarrita too", () => {
    const library = files.find(({ name }) => name === "zarrsift.js")!;
    const zarrita = files.find(({ name }) => name === "zarrita.js")!;
    const codecs = library.late.filter((name) => /chunks\/(zstd|blosc|lz4)-/.test(name));
    expect(codecs).toHaveLength(3);
    expect(zarrita.late).toEqual(expect.arrayContaining(codecs));
    expect(files.flatMap(({ late }) => late).filter((name) => !name.startsWith("chunks/"))).toEqual([]);
  });

  it("asks for nothing of Node", () => {
    const needed = files.flatMap(({ imports, late }) => [...imports, ...late]);
    expect(needed.filter((name) => name.startsWith("node:"))).toEqual([]);
    for (const { code } of files) {
      expect(code).not.toMatch(/\bfrom\s*["'`]node:/);
      expect(code).not.toMatch(/\bimport\(\s*["'`]node:/);
    }
  });

  it.skipIf(!existsSync(installed))(
    "can be made by anyone's bundler, which finds all that is needed",
    async () => {
      const warnings: string[] = [];
      const onLog = (_: string, { message }: { message: string }) => warnings.push(message);
      const built = await rolldown({ input: installed, platform: "browser", cwd: ROOT, onLog });
      const { output } = await built.generate({ format: "es" });
      await built.close();
      expect(warnings).toEqual([]);
      const needed = output.flatMap((file) =>
        file.type === "chunk" ? [...file.imports, ...file.dynamicImports] : [],
      );
      expect(needed.filter((name) => !output.some(({ fileName }) => fileName === name))).toEqual([]);
    },
  );
});
