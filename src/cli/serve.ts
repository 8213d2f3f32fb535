import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Collection, OpenOptions } from "../collection.ts";
import { open } from "../index.ts";
import { type AppOptions, buildApp, type SourceCount } from "../server/index.ts";
import { type Arguments, integer, suggest, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { type ConfiguredSource, readConfig } from "./config.ts";
import { indexesAt } from "./indexes.ts";
import { endingAt } from "./lifetime.ts";
import { log, print } from "./output.ts";
import { startProgress } from "./progress.ts";
import { READ_HELP, READ_OPTIONS, readingOf } from "./reading.ts";
import { namedIndexes, namedSources, SOURCE_HELP, VERIFY_HELP } from "./source.ts";
import { defaultStateDir } from "./state.ts";

/** With Node itself and what running queries need, a server stays below half a gigabyte. */
const DEFAULT_CACHE_MB = 160;

const help = `usage: zarrsift serve [NAME=]SOURCE... [options]
       zarrsift serve --config FILE [options]

Serves sources over HTTP: queries, and views that Zarr clients read. Prints "listening on URL" when ready;
logs go to stderr. Ctrl-C lets running answers end, then stops.
${SOURCE_HELP}
Without NAME a collection is named after the last part of SOURCE's path: data/granules.zarr is "granules".

  --host HOST          where to listen (default 127.0.0.1: this machine only)
  --port PORT          default 8000; 0 takes any free one; a taken one is an error
  --public-url URL     what clients call this server, for URLs in answers (default: each request's Host)
  --trust-proxy        believe X-Forwarded-* headers
  --config FILE        YAML or JSON with further collections, how they are read, and limits; docs/config.schema.json
  --redirect           chunks that are whole objects of an HTTP or S3 source: answer 307 to the object, signed where the
                       source is read with keys, so that clients read from storage; all others are served as ever
  --redirect-seconds N how long signed URLs last (default 3600)
  --cache-mb MB        memory for what was read, of all sources together, in MiB (default 160)
  --state-dir DIR      where views are kept (default: $XDG_STATE_HOME/zarrsift or ~/.local/state/zarrsift)
  --indexes [NAME=]DIR where zarrsift index --to has put the indexes of a source; may be given several times
  ${VERIFY_HELP}
  ${READ_HELP}

examples:
  zarrsift serve granules.zarr
  zarrsift serve sst=https://example.org/sst.icechunk#main winds=ascat.zarr --port 9000
  zarrsift serve granules.zarr --host 0.0.0.0 --public-url https://data.example.org/zarr --trust-proxy
`;

/** `zarrsift serve [NAME=]SOURCE...`: sources over HTTP until a signal comes. */
export const serve: Command = {
  help,
  options: {
    host: { type: "string" },
    port: { type: "string" },
    "public-url": { type: "string" },
    "trust-proxy": { type: "boolean" },
    config: { type: "string" },
    redirect: { type: "boolean" },
    "redirect-seconds": { type: "string" },
    "cache-mb": { type: "string" },
    "state-dir": { type: "string" },
    indexes: { type: "string", multiple: true },
    "verify-indexes": { type: "boolean" },
    ...READ_OPTIONS,
  },
  async run(args) {
    const config = args.text("config");
    const { sources: configured, limits } =
      config === undefined ? { sources: [], limits: {} } : readConfig(config);
    const sources = [...wordSources(args), ...configured];
    refuseDoubles(sources);
    const host = args.text("host") ?? "127.0.0.1";
    const port = integer(args, "port", 0, 65535) ?? 8000;
    const shared = { consolidatedNodes: limits.consolidatedNodes };
    const options = { ...appOptions(args, sources, shared), limits };
    const counts = sources.map(({ name }) => ({ collection: name, requests: 0, bytes: 0 }));
    const collections = await openAll(sources, counts, shared, args);
    try {
      const views = viewsFile(args);
      await listen({ ...options, collections, views, sourceCounts: () => counts }, host, port);
    } finally {
      await Promise.all(collections.map((collection) => collection.close()));
    }
  },
};

/** Sources of the command line, read as this user. */
function wordSources(args: Arguments): ConfiguredSource[] {
  const reading = readingOf(args);
  return namedSources(args.positionals).map(({ name, source }) => {
    return { name, source, ref: undefined, options: { name, ...reading } };
  });
}

function refuseDoubles(sources: readonly ConfiguredSource[]): void {
  if (sources.length === 0)
    throw new UsageError("serve needs at least one SOURCE, or a --config that names some");
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UsageError(`two sources are named ${twice}, on the command line and in the configuration`);
}

/** What the command line says of the server itself, checked before any source is read. */
function appOptions(
  args: Arguments,
  sources: readonly ConfiguredSource[],
  shared: OpenOptions,
): Omit<AppOptions, "collections"> {
  const publicUrl = args.text("public-url");
  if (publicUrl !== undefined && !/^https?:\/\/[^/?#]+[^?#]*$/.test(publicUrl)) {
    throw new UsageError(`--public-url ${publicUrl}: expected an http or https URL without ? and #`);
  }
  return {
    ...(publicUrl === undefined ? {} : { publicUrl }),
    trustProxy: args.flag("trust-proxy"),
    ...redirection(args),
    openRef: (collection, ref, read) => {
      const { source, options } = sources.find(({ name }) => name === collection)!;
      return open(`${source.replace(/#.*$/, "")}#${ref}`, { ...options, ...shared, ...read, log });
    },
  };
}

/** A week is the longest that S3 signs for. */
function redirection(args: Arguments): Pick<AppOptions, "redirectSeconds"> {
  const seconds = integer(args, "redirect-seconds", 10, 604_800);
  if (seconds !== undefined && !args.flag("redirect"))
    throw new UsageError("--redirect-seconds goes with --redirect");
  return args.flag("redirect") ? { redirectSeconds: seconds ?? 3600 } : {};
}

async function openAll(
  sources: readonly ConfiguredSource[],
  counts: SourceCount[],
  shared: OpenOptions,
  args: Arguments,
): Promise<Collection[]> {
  const indexes = namedIndexes(args.texts("indexes"), sources);
  const cacheBytes = ((integer(args, "cache-mb", 0, 1e6) ?? DEFAULT_CACHE_MB) * 2 ** 20) / sources.length;
  const progress = startProgress(`opening ${sources.map(({ name }) => name).join(", ")}`);
  try {
    const collections = await Promise.all(
      sources.map(async ({ name, source, ref, options }, i) => {
        const opening = { ...options, cacheBytes, ...shared, log, total: counts[i] };
        const url = ref === undefined ? source : `${source}#${ref}`;
        return open(url, {
          ...opening,
          indexes: await indexesAt(indexes.get(name), url, opening),
          verifyIndexes: args.flag("verify-indexes"),
        });
      }),
    );
    for (const [i, collection] of collections.entries()) checkFields(collection, sources[i]!);
    return collections;
  } finally {
    progress.done();
  }
}

function checkFields({ table }: Collection, { name, options, fieldsAt }: ConfiguredSource): void {
  const known = ["idx", ...table.columns.keys()];
  const unknown = options.fields?.find((field) => !known.includes(field));
  if (unknown === undefined) return;
  throw new UsageError(
    `${fieldsAt}: ${unknown} is no column of ${name}${suggest(unknown, known)} (known: ${known.join(", ")})`,
  );
}

function viewsFile(args: Arguments): string {
  const folder = args.text("state-dir") ?? defaultStateDir();
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new Error(`cannot keep views in ${folder} (--state-dir names another place)`, { cause: error });
  }
  return join(folder, "views.sqlite");
}

/** Answers requests until SIGINT or SIGTERM. */
async function listen(options: AppOptions, host: string, port: number): Promise<void> {
  const app = await buildApp(options);
  // Not at SIGHUP, which nohup has ignored.
  const end = endingAt("SIGINT", "SIGTERM");
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`port ${port} on ${host} is taken; --port names another, --port 0 takes any free one`);
  }
  const address = app.server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  await print(`listening on http://${host.includes(":") ? `[${host}]` : host}:${bound}\n`);
  if (!end.aborted) await once(end, "abort");
  await app.close();
}
