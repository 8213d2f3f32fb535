/** What `zarrsift export` hands over: a view made of SQL, or one that `zarrsift serve` keeps. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Collection } from "../collection.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { type OpenSourceOptions, open } from "../index.ts";
import { ViewsStore } from "../server/views-store.ts";
import { tableOf } from "../source.ts";
import type { Layout, ViewDefinition } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { type Arguments, choice, suggest, UsageError } from "./args.ts";
import { readConfig } from "./config.ts";
import { indexesAt } from "./indexes.ts";
import { log } from "./output.ts";
import { readParams } from "./params.ts";
import { readingOf } from "./reading.ts";
import { SqlFailure } from "./report.ts";
import { namedSource } from "./source.ts";
import { defaultStateDir } from "./state.ts";

const LAYOUTS = ["granules", "stacked", "concatenated"] as const satisfies readonly Layout[];
const VIEW_ID = /^[0-9a-f]{32}$/;
/** Options that say what a view is; one that is kept has its own. */
const OF_SQL = ["layout", "group-by", "fields", "variables", "missing", "params"];
/** Each node and each chunk is read once. */
const NODES_KEPT = 2000;
const CACHE_BYTES = 16 * 2 ** 20;

export interface OpenedView {
  view: View;
  collection: Collection;
}

/** Opens what the words say. @throws UsageError, ZarrsiftError, SqlFailure */
export async function openView(
  what: string,
  source: string,
  args: Arguments,
  signal: AbortSignal,
): Promise<OpenedView> {
  if (!VIEW_ID.test(what)) return viewOfSql(what, source, args, signal);
  const surplus = OF_SQL.find((name) => args.texts(name).length > 0);
  if (surplus !== undefined) throw new UsageError(`--${surplus} goes with SQL: view ${what} has its own`);
  const definition = await kept(what, args.text("state-dir") ?? defaultStateDir());
  const collection = await openSourceOf(source, args, signal, definition.collection);
  try {
    return { collection, view: await collection.restore(definition, { signal }) };
  } catch (error) {
    throw (await otherSource(error, definition, source, collection)) ?? error;
  }
}

/**
 * What is wrong with a view of another collection than `source` goes by. That may be the same one under another name,
 * changed since; `undefined` where it has the name, or is the same but for its granules.
 */
async function otherSource(
  error: unknown,
  { id, collection: name, version }: ViewDefinition,
  source: string,
  opened: Collection,
): Promise<ZarrsiftError | undefined> {
  const gone = isZarrsiftError(error, "source_changed") || isZarrsiftError(error, "source_not_found");
  if (!gone || source === name || namedSource(source).name === name) return undefined;
  if (tableOf(await opened.version()) === tableOf(version)) return undefined;
  return new ZarrsiftError(
    "source_changed",
    `view ${id} is of collection ${name} at version ${version}, and ${source} is not at that: ` +
      `give the SOURCE of ${name}; if this is it, it has changed, and the view is to be made again`,
    { cause: error },
  );
}

async function viewOfSql(
  sql: string,
  source: string,
  args: Arguments,
  signal: AbortSignal,
): Promise<OpenedView> {
  const layout = choice(args, "layout", LAYOUTS);
  const [grouped] = args.texts("group-by");
  if (grouped !== undefined && grouped !== "encoding")
    throw new UsageError(`--group-by ${grouped}: expected encoding`);
  const fields = names(args, "fields");
  const variables = names(args, "variables");
  const options = {
    layout,
    missing: choice(args, "missing", ["error", "skip"]),
    params: readParams(args.text("params")),
    ...(grouped && { groupBy: "encoding" as const }),
    ...(fields && { fields }),
    ...(variables && { variables }),
    signal,
  };
  const collection = await openSourceOf(source, args, signal);
  try {
    return { collection, view: await collection.view(sql, options) };
  } catch (error) {
    throw isZarrsiftError(error) && error.at ? new SqlFailure(error, sql) : error;
  }
}

/** `--fields a,b`; a name with a comma in it cannot be said. */
function names(args: Arguments, option: string): string[] | undefined {
  const text = args.text(option);
  return text === undefined ? undefined : text.split(",").map((name) => name.trim());
}

async function openSourceOf(
  source: string,
  args: Arguments,
  signal: AbortSignal,
  collection?: string,
): Promise<Collection> {
  const common = { cacheBytes: CACHE_BYTES, nodesKept: NODES_KEPT, log, signal };
  const config = args.text("config");
  if (config !== undefined) {
    const { sources } = readConfig(config);
    const found = sources.find(({ name }) => name === source);
    if (!found) {
      const known = sources.map(({ name }) => name);
      throw new UsageError(`${config} has no collection ${source}${suggest(source, known)}`);
    }
    const url = found.ref === undefined ? found.source : `${found.source}#${found.ref}`;
    const options = { ...found.options, ...common };
    return open(url, { ...options, indexes: await indexesAt(args.text("indexes"), url, options) });
  }
  const named = namedSource(source);
  const options: OpenSourceOptions = {
    name: collection ?? named.name,
    ...readingOf(args),
    ...common,
  };
  return open(named.source, {
    ...options,
    indexes: await indexesAt(args.text("indexes"), named.source, options),
  });
}

/** The definition of a view that `zarrsift serve` keeps. */
async function kept(id: string, folder: string): Promise<ViewDefinition> {
  const file = join(folder, "views.sqlite");
  const unknown = new ZarrsiftError(
    "not_found",
    `there is no view ${id} in ${folder}; --state-dir names the folder that zarrsift serve keeps its views in. ` +
      "One of a server that runs, such as zarrsift demo, is a source like any other: " +
      `zarrsift export "SELECT * FROM meta" http://127.0.0.1:8000/views/${id}/v3 --to …`,
  );
  if (!existsSync(file)) throw unknown;
  const store = await ViewsStore.open(file);
  try {
    const definition = store.definition(id);
    if (!definition) throw unknown;
    return definition;
  } finally {
    store.close();
  }
}
