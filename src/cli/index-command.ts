import { setMaxListeners } from "node:events";
import { isZarrsiftError, messageOf, ZarrsiftError } from "../errors.ts";
import { bytesText } from "../format/bytes.ts";
import type { BySide } from "../index/api.ts";
import type { ColumnReport } from "../index/build/api.ts";
import { buildIndexes } from "../index/build/build.ts";
import { type ColumnCheck, checkIndexes } from "../index/build/check.ts";
import { dropIndexes } from "../index/build/drop.ts";
import type { ProductOptions } from "../index/build/product.ts";
import { openSource } from "../store/open.ts";
import { openWritable } from "../store/open-writable.ts";
import type { Store } from "../store/store.ts";
import type { WritableStore } from "../store/writable.ts";
import { openTable } from "../table/open.ts";
import { Hierarchy } from "../zarr/hierarchy.ts";
import { type Arguments, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { IndexThreads } from "./index-threads.ts";
import { log, print } from "./output.ts";
import { READ_HELP, READ_OPTIONS, readingOf } from "./reading.ts";
import { RowProgress } from "./row-progress.ts";
import { SOURCE_HELP } from "./source.ts";

const help = `usage: zarrsift index SOURCE [options]

Indexes the columns of a source's meta group: an R-tree for geometry, B+trees for times and numbers, lists of rows
for columns of few different values, and the smallest and largest value of each chunk for all. Run again, it adds
what is new. Queries use the indexes by themselves.
${SOURCE_HELP}

  --column NAME        index this column, and no others; may be given several times
  --covering XMIN,YMIN,XMAX,YMAX
                       number columns that hold the boxes of the geometry, so that its R-tree answers for them;
                       default: those that are named so (also minx…, west…, bbox_xmin…, bbox.xmin…)
  --check              change nothing: compare every row with its indexes; status 1 where one is wrong
  --drop               take the indexes away, with --column those of that column
  --to DIR             keep them in DIR, for a source that cannot be written;
                       query and serve find them there with --indexes DIR
  ${READ_HELP}

examples:
  zarrsift index granules.zarr
  zarrsift index granules.zarr --column date --column bbox
  zarrsift index granules.zarr --check
  zarrsift index https://example.org/data/granules.zarr --to granules-indexes
`;

/** Bytes of values kept: each chunk is read once. */
const CACHE_BYTES = 2 ** 20;

/** With fewer rows, threads take longer to start than they save. */
const ROWS_FOR_THREADS = Number(process.env.ZARRSIFT_INDEX_THREADS_FROM ?? 200_000);

/** Builds that others came in between are tried so often. */
const TRIES = 3;

const KINDS = { rtree: "R-tree", btree: "B+tree", category: "category index" } as const;

/** `zarrsift index SOURCE`: builds, checks or drops indexes. */
export const index: Command = {
  help,
  options: {
    column: { type: "string", multiple: true },
    covering: { type: "string" },
    check: { type: "boolean" },
    drop: { type: "boolean" },
    to: { type: "string" },
    ...READ_OPTIONS,
  },
  async run(args) {
    const [source, ...surplus] = args.positionals;
    if (source === undefined) throw new UsageError("index needs a SOURCE");
    if (surplus.length > 0) throw new UsageError(`index takes one SOURCE, not also ${surplus.join(" ")}`);
    if (args.flag("check") && args.flag("drop"))
      throw new UsageError("--check and --drop exclude each other");
    const names = args.texts("column");
    const columns = names.length > 0 ? names : undefined;
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    process.removeAllListeners("SIGINT");
    process.once("SIGINT", () => controller.abort(new Error("interrupted; what is complete is kept")));
    const work: Work = { source, columns, covering: coveringOf(args), args, signal: controller.signal };
    if (args.flag("drop")) return drop(work);
    const store = await openSource(source, {
      ...readingOf(args),
      cacheBytes: CACHE_BYTES,
      log,
      signal: work.signal,
    });
    try {
      await (args.flag("check") ? check(work, store) : build(work, store));
    } finally {
      await store.close?.();
    }
  },
};

interface Work {
  source: string;
  columns: string[] | undefined;
  covering: BySide<string> | undefined;
  args: Arguments;
  signal: AbortSignal;
}

/** Where somebody else commits to an Icechunk repository at the same time, what they left is looked at anew. */
async function build(work: Work, store: Store): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await buildOnce(work, store);
    } catch (error) {
      if (left === 0 || store.snapshot === undefined || !isZarrsiftError(error, "source_changed"))
        throw error;
      log(`${messageOf(error)}: trying again`);
    }
  }
}

async function buildOnce({ source, columns, covering, args, signal }: Work, store: Store): Promise<void> {
  const target = await writable(source, args.text("to"));
  const progress = new RowProgress();
  const started = performance.now();
  const threads =
    target.commit || (await rowsOf(store)) < ROWS_FOR_THREADS
      ? undefined
      : new IndexThreads({
          source,
          target: args.text("to") ?? source,
          reading: readingOf(args),
          cacheBytes: CACHE_BYTES,
        });
  try {
    const reports = await buildIndexes(store, target, {
      columns,
      covering,
      signal,
      ...(threads && {
        parallel: threads.count,
        produceElsewhere: (column: string, given: ProductOptions) => threads.produce(column, given),
      }),
      onProgress: ({ column, step, rows, rowsTotal, columns: done, columnsTotal }) =>
        progress.show(
          `${column} (${done + 1} of ${columnsTotal})`,
          step,
          rows,
          rowsTotal,
          done,
          columnsTotal,
        ),
      onColumn: (report) => log(columnLine(report)),
    });
    progress.done();
    if (covering && !reports.some((report) => report.covering))
      throw new Error(
        `${covering.join(", ")} do not hold the boxes of a geometry column; the rest is indexed`,
      );
    const changed = reports.filter(({ what }) => what !== "unchanged" && what !== "left");
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    await print(
      changed.length === 0
        ? "nothing has changed since the last time\n"
        : `${changed.length} of ${reports.length} columns indexed in ${seconds} s, ${size(changed)} written\n`,
    );
  } catch (error) {
    throw args.text("to") === undefined ? withAdvice(error) : error;
  } finally {
    progress.done();
    await threads?.close();
  }
}

function coveringOf(args: Arguments): BySide<string> | undefined {
  const names = args
    .text("covering")
    ?.split(",")
    .map((name) => name.trim());
  if (names !== undefined && names.length !== 4)
    throw new UsageError("--covering takes four columns: XMIN,YMIN,XMAX,YMAX");
  return names as BySide<string> | undefined;
}

async function rowsOf(store: Store): Promise<number> {
  return (await openTable(await Hierarchy.open(store), store)).rows;
}

function withAdvice(error: unknown): unknown {
  if (!(error instanceof ZarrsiftError) || error.code !== "source_forbidden") return error;
  return new ZarrsiftError(error.code, `${messageOf(error)}; --to DIR keeps indexes in another directory`, {
    cause: error,
  });
}

async function check({ source, columns, args, signal }: Work, store: Store): Promise<void> {
  const beside = args.text("to");
  const indexes =
    beside === undefined ? store : await openSource(beside, { cacheBytes: CACHE_BYTES, signal });
  const progress = new RowProgress();
  try {
    const reports = await checkIndexes(store, indexes, {
      columns,
      signal,
      onRows: (column, rows, total) => progress.show(column, "compare", rows, total, 0, 1),
    });
    progress.done();
    if (reports.length === 0) throw new Error(`${beside ?? source} has no indexes of these columns`);
    for (const report of reports) await print(`${checkLine(report)}\n`);
    const wrong = reports.filter(({ problem }) => problem !== undefined);
    if (wrong.length === 0) return;
    const options = wrong.map(({ column }) => `--column ${column}`).join(" ");
    throw new Error(
      `${wrong.length} of ${reports.length} columns have indexes that are not right; to make them anew: ` +
        `zarrsift index SOURCE --drop ${options}, then zarrsift index SOURCE`,
    );
  } finally {
    progress.done();
  }
}

async function drop({ source, columns, args, signal }: Work): Promise<void> {
  const target = await writable(source, args.text("to"));
  const names = await dropIndexes(target, { columns, signal });
  const missing = columns?.find((name) => !names.includes(name));
  if (missing !== undefined) throw new Error(`column ${missing} has no index`);
  await print(names.length === 0 ? "there are no indexes\n" : `dropped: ${names.join(", ")}\n`);
}

async function writable(source: string, to: string | undefined): Promise<WritableStore> {
  const options = { create: to !== undefined, log };
  return openWritable(to ?? source, options).catch((error) => {
    throw to === undefined ? withAdvice(error) : error;
  });
}

function columnLine({ column, kind, what, why, bytes, ms, covering }: ColumnReport): string {
  const also = covering ? ` (and of ${covering.join(", ")})` : "";
  const name = (kind ? KINDS[kind] : "zone map") + also;
  if (what === "left") return `${column}: left out: ${why}`;
  if (what === "unchanged") return `${column}: ${name}, unchanged`;
  const because = why === undefined ? "" : ` (${why})`;
  return `${column}: ${name} ${what}${because}, ${bytesText(bytes)}, ${(ms / 1000).toFixed(1)} s`;
}

function checkLine({ column, kind, rows, added, problem }: ColumnCheck): string {
  const name = kind ? `${KINDS[kind]} and zone map` : "zone map";
  if (problem !== undefined) return `${column}: WRONG: ${problem}`;
  const beside = added > 0 ? `; ${added.toLocaleString("en")} rows came since` : "";
  return `${column}: ${name} of ${rows.toLocaleString("en")} rows are right${beside}`;
}

const size = (reports: readonly ColumnReport[]) =>
  bytesText(reports.reduce((sum, { bytes }) => sum + bytes, 0));
