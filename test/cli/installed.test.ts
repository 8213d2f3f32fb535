/** The package as npm installs it elsewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../house/sources.ts";
import { sourceOf } from "../index/build/kit.ts";
import { onDisk } from "../index/on-disk.ts";
import { built, outcome, start } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-installed-"));
const modules = join(folder, "node_modules");
const program = join(modules, "zarrsift/dist/cli/main.js");
const ICECHUNK = "@earthmover/icechunk";

/** Dependencies are this project's own, but for Icechunk, whose native library does not load. */
function install(): void {
  const names = readdirSync(join(ROOT, "node_modules")).filter(
    (name) => !name.startsWith(".") && name !== "@earthmover",
  );
  mkdirSync(join(modules, ICECHUNK), { recursive: true });
  for (const name of names) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  writeFileSync(join(modules, ICECHUNK, "index.js"), 'throw new Error("wrong architecture");');
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const archive = execFileSync("npm", pack, { cwd: ROOT, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "zarrsift")]);
}

describe.skipIf(!built)("an installed package", () => {
  beforeAll(install, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("indexes in threads and asks a collection", async () => {
    const source = await onDisk(await sourceOf(300), join(folder, "some.zarr"));
    const env = { ZARRSIFT_INDEX_THREADS_FROM: "0" };
    const indexed = await outcome(start(["index", source], env, folder, program));
    expect(indexed).toMatchObject({ code: 0 });
    const sql = "SELECT count(*) AS n FROM meta WHERE id IS NOT NULL OR id IS NULL";
    const asked = await outcome(start(["query", source, sql, "--format", "csv"], {}, folder, program));
    expect(asked).toMatchObject({ code: 0, stdout: "n\r\n300\r\n" });
  });

  it("is a library and a server", () => {
    const script =
      'const [a, b] = await Promise.all([import("zarrsift"), import("zarrsift/server")]);' +
      "console.log(typeof a.open, typeof a.buildIndexes, typeof b.buildApp);";
    const run = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
    expect(run.toString()).toBe("function function function\n");
  });

  it("names the script that gets Icechunk's WASM build", async () => {
    const repository = join(folder, "repository");
    mkdirSync(join(repository, "refs/branch.main"), { recursive: true });
    writeFileSync(join(repository, "refs/branch.main/ref.json"), '{"snapshot":"1CECHNKREP0F1RSTCMT0"}');
    const { code, stderr } = await outcome(start(["inspect", repository], {}, folder, program));
    expect(code).not.toBe(0);
    const [, script] = /Run: node (\S+)/.exec(stderr) ?? [];
    expect(script && existsSync(script), stderr).toBe(true);
  });
});
