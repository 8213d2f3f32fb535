import { suggest, UsageError } from "./args.ts";

/** What `--help` of every command that takes a SOURCE says about it. */
export const SOURCE_HELP = `SOURCE is a directory, or a file:, http:, https: or s3: URL, of a Zarr hierarchy or an Icechunk repository,
  or a zip archive or kerchunk references (JSON, Parquet) of a hierarchy;
  #REF behind it picks a branch, a tag or a snapshot of Icechunk.`;

/** Help for `--absent`. */
export const ABSENT_HELP = `--absent STATUSES    HTTP statuses that mean "not there", commas between (default 404);
                       buckets without list permission answer 403`;

/** Help for `--indexes`. */
export const INDEXES_HELP =
  "--indexes DIR        where zarrsift index --to has put the source's indexes: a directory or URL";

/** Help for `--verify-indexes`. */
export const VERIFY_HELP = `--verify-indexes     read all of a column, and compare it with what was indexed, before an index of it
                       is used; by default over HTTP only what is read anyway is compared`;

/** A collection to serve: under which name, from where. */
export interface NamedSource {
  name: string;
  source: string;
}

/**
 * `[NAME=]SOURCE` taken apart. Without NAME the source's last path segment serves, without its extension:
 * `https://host/data/granules.zarr` is `granules`.
 *
 * @throws UsageError where no name can be made out
 */
export function namedSource(word: string): NamedSource {
  const named = /^([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$/.exec(word);
  if (named) return { name: named[1]!, source: named[2]! };
  return { name: defaultName(word), source: word };
}

function defaultName(source: string): string {
  const safe = sourceName(source);
  if (safe !== undefined) return safe;
  throw new UsageError(`no name can be made from ${source}: write NAME=${source}`);
}

/** What a source is called where nobody names it, and SQL may call its table; `undefined` for one such as `..`. */
export function sourceName(source: string): string | undefined {
  const path = source.replace(/#.*$/, "").replace(/\?.*$/, "").replace(/\/+$/, "");
  const last = path.slice(path.lastIndexOf("/") + 1).replace(/(?<=.)\.[A-Za-z0-9]+$/, "");
  const safe = last.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[-_]+|-+$/g, "");
  return safe === "" ? undefined : safe;
}

/**
 * The sources of a command line, each under a name of its own.
 *
 * @throws UsageError when two have one name
 */
export function namedSources(words: readonly string[]): NamedSource[] {
  const sources = words.map(namedSource);
  sources.forEach(({ name, source }, i) => {
    const first = sources.findIndex((other) => other.name === name);
    if (first === i) return;
    throw new UsageError(
      `two sources are named ${name}: ${sources[first]!.source} and ${source}; write NAME=${source}`,
    );
  });
  return sources;
}

/**
 * `--indexes [NAME=]DIR`: where each collection's indexes are.
 *
 * @throws UsageError for a name that no source has, and where NAME is needed to tell
 */
export function namedIndexes(words: readonly string[], sources: readonly NamedSource[]): Map<string, string> {
  const places = new Map<string, string>();
  for (const word of words) {
    const [, given, place = word] = /^([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$/.exec(word) ?? [];
    const name = given ?? (sources.length === 1 ? sources[0]!.name : undefined);
    if (name === undefined)
      throw new UsageError(`--indexes ${word}: there are several sources; write NAME=${word}`);
    if (!sources.some((source) => source.name === name))
      throw new UsageError(
        `--indexes ${word}: no source is named ${name}${suggest(
          name,
          sources.map((source) => source.name),
        )}`,
      );
    places.set(name, place);
  }
  return places;
}
