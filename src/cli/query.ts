import type { Collection, Explain } from "../collection.ts";
import { isZarrsiftError } from "../errors.ts";
import { open } from "../index.ts";
import type { QueryOptions } from "../plan/api.ts";
import { explainOf } from "../plan/explain.ts";
import { type Arguments, choice, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { grid } from "./grid.ts";
import { indexesAt } from "./indexes.ts";
import { log, print, terminalWidth } from "./output.ts";
import { readParams } from "./params.ts";
import { startProgress } from "./progress.ts";
import { READ_HELP, READ_OPTIONS, readingOf } from "./reading.ts";
import { SqlFailure } from "./report.ts";
import { FORMATS, rowsAs } from "./rows.ts";
import { INDEXES_HELP, SOURCE_HELP, sourceName, VERIFY_HELP } from "./source.ts";

const help = `usage: zarrsift query SOURCE SQL [options]

Runs a query on the meta group of a source. The table is called meta; idx is a row's number in it.
${SOURCE_HELP}

  --format FORMAT      table (default), json, ndjson, csv, geojson or arrow (an IPC stream)
  --params JSON        values for $1, $2 … in the SQL, as a JSON array
  --explain            show the steps instead of the answer; EXPLAIN in front of the SQL does the same
  --analyze            with --explain: run them too, and show rows, requests, bytes and times
  ${INDEXES_HELP}
  ${VERIFY_HELP}
  ${READ_HELP}

examples:
  zarrsift query granules.zarr "SELECT idx, date FROM meta WHERE cloud_cover < 10 ORDER BY date LIMIT 5"
  zarrsift query granules.zarr "SELECT platform, count(*), avg(cloud_cover) FROM meta GROUP BY platform"
  zarrsift query granules.zarr "SELECT * FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(0, 0, 10, 10))"
  zarrsift query granules.zarr 'SELECT idx FROM meta WHERE platform = $1' --params '["metop-a"]' --format csv
  zarrsift query granules.zarr "SELECT idx FROM meta WHERE date < TIMESTAMP '2025-07-01'" --explain --analyze
  zarrsift query granules.zarr "SELECT idx, date, bbox FROM meta" --format arrow > granules.arrows
  zarrsift query refs.json "SELECT idx, date FROM meta" --allow /data/granules
`;

/** `zarrsift query SOURCE SQL`: rows of meta, in one of several formats. */
export const query: Command = {
  help,
  options: {
    format: { type: "string" },
    params: { type: "string" },
    explain: { type: "boolean" },
    analyze: { type: "boolean" },
    indexes: { type: "string" },
    "verify-indexes": { type: "boolean" },
    ...READ_OPTIONS,
  },
  async run(args) {
    const [source, sql, ...surplus] = args.positionals;
    if (source === undefined || sql === undefined)
      throw new UsageError("query needs a SOURCE and a SQL text");
    if (/^\s*(select|with|explain)\s/i.test(source))
      throw new UsageError("query takes the SOURCE first, then the SQL");
    if (surplus.length > 0)
      throw new UsageError(`query takes one SQL text; quote it (then came ${surplus[0]})`);
    const text = answer(args, sql);
    const progress = startProgress(`querying ${source}`);
    try {
      const name = sourceName(source);
      const reading = { ...readingOf(args), log };
      const collection = await open(source, {
        ...(name !== undefined && { name }),
        indexes: await indexesAt(args.text("indexes"), source, reading),
        verifyIndexes: args.flag("verify-indexes"),
        ...reading,
      });
      for await (const part of text(collection)) {
        progress.done();
        await print(part);
      }
      await collection.close();
    } catch (error) {
      throw isZarrsiftError(error) && error.at ? new SqlFailure(error, sql) : error;
    } finally {
      progress.done();
    }
  },
};

/** What to print, part by part; the options are checked here, before anything is opened. */
function answer(
  args: Arguments,
  sql: string,
): (collection: Collection) => AsyncIterable<string | Uint8Array> {
  const format = choice(args, "format", FORMATS);
  const options: QueryOptions = { params: readParams(args.text("params")) };
  const explains = explainOf(sql);
  const explain = args.flag("explain") || explains !== undefined;
  const mode = args.flag("analyze") ? "analyze" : (explains ?? "plan");
  if (args.flag("analyze") && !explain) throw new UsageError("--analyze goes with --explain");
  if (explain) {
    if (format !== "table" && format !== "json")
      throw new UsageError(`${explains ? "EXPLAIN" : "--explain"} has no format ${format}: table or json`);
    return async function* (collection) {
      const explained = await collection.explain(sql, mode, options);
      yield format === "json" ? `${JSON.stringify(explained, null, 2)}\n` : steps(explained, terminalWidth());
    };
  }
  if (format === "arrow" && terminalWidth() !== undefined)
    throw new UsageError(
      "--format arrow writes bytes, which no terminal shows; send them to a file or a pipe",
    );
  return async function* (collection) {
    yield* rowsAs(format, await collection.query(sql, options), terminalWidth());
  };
}

const STEP_COLUMNS = [
  "step",
  "column",
  "index",
  "state",
  "why",
  "rows_in",
  "rows_out",
  "requests",
  "bytes",
  "ms",
] as const;
const NUMBERS = new Set<string>(["rows_in", "rows_out", "requests", "bytes", "ms"]);

/** The steps of a plan as a table, without the columns that say nothing. */
function steps({ plan }: Explain, width: number | undefined): string {
  const used = STEP_COLUMNS.filter((name) => plan.some((step) => step[name] !== null));
  const rows = plan.map((step) => used.map((name) => String(step[name] ?? "")));
  const right = used.map((name) => NUMBERS.has(name));
  return grid(used, rows, right, width);
}
