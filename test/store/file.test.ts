import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryStore } from "../../src/store/file.ts";

let base: string;
let root: string;
let store: DirectoryStore;

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** With and without reads in the event loop's own thread. */
describe.each([true, false])("a directory on a disk of this machine: %s", (local) => {
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "zarrsift-file-"));
    root = join(base, "root");
    mkdirSync(join(root, "a"), { recursive: true });
    mkdirSync(join(base, "outside"));
    writeFileSync(join(root, "a/0"), "inside");
    writeFileSync(join(base, "outside/0"), "secret");
    store = new DirectoryStore(root, local);
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  describe("a root", () => {
    it.each(["/", "//", "/a/..", "/a/../"])("may be written with %j behind it", async (ending) => {
      const slashed = new DirectoryStore(root + ending, local);
      expect(text(await slashed.get("a/0"))).toBe("inside");
      expect(await slashed.list("")).toEqual({ keys: [], prefixes: ["a"] });
      expect(await slashed.list("a")).toEqual({ keys: ["0"], prefixes: [] });
      expect(await slashed.stat("a/0")).toEqual(await store.stat("a/0"));
    });
  });

  describe("symbolic links", () => {
    it("are followed below the root", async () => {
      symlinkSync("a", join(root, "folder"));
      symlinkSync("a/0", join(root, "file"));
      expect(text(await store.get("folder/0"))).toBe("inside");
      expect(text(await store.get("file"))).toBe("inside");
      expect(await store.list("")).toEqual({ keys: ["file"], prefixes: ["a", "folder"] });
      const inside = await store.stat("a/0");
      expect(await store.stats(["file", "folder/0", "a/0"])).toEqual([inside, inside, inside]);
    });

    it("are refused where they leave it, as a folder and as a file", async () => {
      symlinkSync("../outside", join(root, "folder"));
      symlinkSync("../outside/0", join(root, "file"));
      symlinkSync("../../outside", join(root, "a/deep"));
      for (const key of ["folder/0", "file", "a/deep/0"]) {
        for (const read of [
          () => store.get(key),
          () => store.getRange(key, { offset: 0, length: 1 }),
          () => store.stat(key),
          () => store.stats(["a/0", key]),
        ]) {
          await expect(read(), key).rejects.toMatchObject({ code: "source_forbidden" });
        }
      }
      await expect(store.list("folder")).rejects.toMatchObject({ code: "source_forbidden" });
    });

    it("are refused as well once folders beside them have been read", async () => {
      mkdirSync(join(root, "a/b/c"), { recursive: true });
      mkdirSync(join(base, "outside/b/c"), { recursive: true });
      writeFileSync(join(root, "a/b/c/0"), "inside");
      writeFileSync(join(base, "outside/b/c/0"), "secret");
      symlinkSync("../../outside/b", join(root, "a/link"));
      symlinkSync("b", join(root, "a/fine"));
      for (const key of ["a/0", "a/b/c/0", "a/fine/c/0"]) expect(text(await store.get(key))).toBe("inside");
      await expect(store.get("a/link/c/0")).rejects.toMatchObject({ code: "source_forbidden" });
      await expect(store.stat("a/link/c/0")).rejects.toMatchObject({ code: "source_forbidden" });
      expect(await store.get("a/b/c/d/e/0")).toBeUndefined();
    });

    it("to nothing are absent; loops are errors", async () => {
      symlinkSync("nowhere", join(root, "dangling"));
      symlinkSync("loop", join(root, "loop"));
      expect(await store.get("dangling")).toBeUndefined();
      await expect(store.get("loop")).rejects.toMatchObject({ code: "source_unreadable" });
    });

    it("may lead to the root itself", async () => {
      symlinkSync("root", join(base, "link"));
      expect(text(await new DirectoryStore(join(base, "link"), local).get("a/0"))).toBe("inside");
    });

    it("are refused where one takes a file's place", async () => {
      expect(await store.stats(["a/0"])).toEqual([await store.stat("a/0")]);
      rmSync(join(root, "a/0"));
      symlinkSync("../../outside/0", join(root, "a/0"));
      await expect(store.stats(["a/0"])).rejects.toMatchObject({ code: "source_forbidden" });
    });

    it("do not take in a folder whose name merely begins alike", async () => {
      mkdirSync(join(base, "root-2"));
      writeFileSync(join(base, "root-2/0"), "secret");
      symlinkSync("../root-2", join(root, "other"));
      await expect(store.get("other/0")).rejects.toMatchObject({ code: "source_forbidden" });
    });
  });

  describe("what is no file", () => {
    it("is absent: folders, names below files, names that are too long", async () => {
      for (const key of ["a", "a/0/x", "x".repeat(300)]) expect(await store.get(key), key).toBeUndefined();
      expect(await store.stat("a")).toBeUndefined();
      expect(await store.stats(["a", "a/0/x", "a/1"])).toEqual([undefined, undefined, undefined]);
      expect(await store.list("nope")).toEqual({ keys: [], prefixes: [] });
    });

    it.skipIf(process.platform === "win32")("is absent and no trap: a named pipe", async () => {
      execFileSync("mkfifo", [join(root, "pipe")]);
      expect(await store.get("pipe")).toBeUndefined();
      expect((await store.list("")).keys).toEqual([]);
    });
  });

  describe("failures", () => {
    it.skipIf(process.getuid?.() === 0)("of permission are errors", async () => {
      chmodSync(join(root, "a/0"), 0);
      await expect(store.get("a/0")).rejects.toMatchObject({ code: "source_forbidden" });
    });

    it("of the whole directory are errors, not missing keys", async () => {
      expect(await store.get("a/1")).toBeUndefined();
      renameSync(root, join(base, "moved"));
      await expect(store.get("a/1")).rejects.toMatchObject({ code: "source_not_found" });
      await expect(store.get("a/0")).rejects.toMatchObject({ code: "source_not_found" });
      await expect(store.stats(["a/0"])).rejects.toMatchObject({ code: "source_not_found" });
      await expect(store.list("")).rejects.toMatchObject({ code: "source_not_found" });
    });
  });
});
