import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, first, so that no worker is left alone with it at the end. */
const SLOW = [
  "interop/stacked-views",
  "interop/served-views",
  "plan/peers/duckdb-spatial",
  "interop/chained-views",
  "cli/index",
  "browser/library",
  "export/copy",
  "export/kerchunk",
  "cli/view-index",
  "cli/pinned",
  "plan/indexed",
  "index/build/crash",
  "interop/source-kinds",
  "cli/export",
  "browser/example",
  "interop/dask",
  "index/http",
  "index/life",
  "plan/peers/datafusion",
  "demo/collection",
  "zarr/write",
].map((name) => `test/${name}.test.ts`);

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOW.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? SLOW.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: "test/python/scratch.ts",
    maxWorkers: "100%", // of the cores: vitest leaves one to itself otherwise
    sequence: { sequencer: SlowestFirst },
  },
});
