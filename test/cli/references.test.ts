import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PYTHON, python } from "../zarr/python.ts";
import { built, zarrsift } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-cli-references-"));
afterAll(() => rmSync(folder, { recursive: true }));

const why = built ? (PYTHON ? "" : " (needs ZARRSIFT_PYTHON)") : " (needs a build)";
describe.skipIf(why !== "")(`reference files on the command line${why}`, () => {
  beforeAll(() => void python("make_references.py", folder), 60_000);

  const SQL = "SELECT idx, cloud, date FROM meta WHERE cloud < 30 ORDER BY date DESC";
  const ROWS =
    "idx,cloud,date\n5,0,2025-06-01T00:00:00.000Z\n2,20,2025-03-01T00:00:00.000Z\n0,5.5,2025-01-01T00:00:00.000Z\n";

  it.each(["refs.json", "version0.json", "refs.parq"])(
    "%s: --allow names where chunks may be read",
    async (name) => {
      const source = join(folder, name);
      const answer = await zarrsift("query", source, SQL, "--format", "csv", "--allow", folder);
      expect([answer.code, answer.stdout.replaceAll("\r\n", "\n")]).toEqual([0, ROWS]);
      const denied = await zarrsift("query", source, SQL, "--allow", join(folder, "data"));
      expect(denied.code).toBe(1);
      expect(denied.stderr).toContain(`file://${folder}/plain.zarr/meta/cloud/0, which nobody has allowed`);
      expect(denied.stderr).toContain("--allow");
    },
  );

  it("and takes folders and URLs only", async () => {
    const { code, stderr } = await zarrsift("inspect", join(folder, "refs.json"), "--allow", "gs://bucket/");
    expect([code, stderr]).toEqual([2, expect.stringContaining("expected a folder, or a file:///, http:")]);
  });
});
