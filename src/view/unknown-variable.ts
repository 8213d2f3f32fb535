/** What is said to who names arrays that no granule has. */
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { granuleNodes } from "./granule-nodes.ts";
import { granulesOf, pathsOf, type TreeParts } from "./tree-parts.ts";

/** Arrays that a message names. */
const LISTED = 12;

/** An error of `unknownVariable` with the arrays that the first granule has; any other as it is. */
export async function withArrayNames(error: unknown, parts: TreeParts): Promise<unknown> {
  if (!isZarrsiftError(error, "bad_request") || !("variable" in error.details)) return error;
  const names = await arraysOfFirst(parts).catch(() => []);
  if (names.length === 0) return error;
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : "";
  const list = `row ${parts.idx[0]} has ${names.slice(0, LISTED).join(", ")}${more}`;
  return new ZarrsiftError("bad_request", `${error.message}; ${list}`, { details: error.details });
}

async function arraysOfFirst({ source, idx, options }: TreeParts): Promise<string[]> {
  const first = idx.slice(0, 1);
  const [path] = options.paths ?? (await pathsOf(first, source.table, source.location, options));
  const place = { granules: granulesOf(source), idx: first[0]!, path: path! };
  const nodes = await granuleNodes(place, undefined, options);
  return [...nodes].flatMap(([inside, { nodeType }]) =>
    nodeType === "array" && inside !== "" ? [inside] : [],
  );
}
