/** The `bbox` and `datetime` options as conditions of a query. */
import { type Position, ZarrsiftError } from "../../errors.ts";
import type { Expr } from "../../sql/ast.ts";
import type { Table } from "../../table/table.ts";
import { typeName } from "../../table/types.ts";
import type { QueryOptions } from "../api.ts";
import { parseRfc3339, wrongInTimestamp } from "../functions/timestamp.ts";

const NOWHERE: Position = { offset: 0, line: 1, column: 1 };

const column = (name: string): Expr => ({ type: "column", name, table: "meta", quoted: true, at: NOWHERE });
const number = (value: number): Expr => ({ type: "literal", value, at: NOWHERE });
const call = (name: string, args: Expr[]): Expr => ({
  type: "call",
  name,
  args,
  distinct: false,
  star: false,
  at: NOWHERE,
});
const compare = (op: ">=" | "<=", name: string, time: string): Expr => ({
  type: "binary",
  op,
  left: column(name),
  right: { type: "typed_literal", of: "timestamp", value: time, at: NOWHERE },
  at: NOWHERE,
});

/**
 * What the options ask for beside the SQL.
 * @throws ZarrsiftError `bad_parameter` where one is malformed or the table has no column for it
 */
export function optionConditions({ bbox, datetime }: QueryOptions, table: Table): Expr[] {
  return [
    ...(bbox ? [insideBox(bbox, table)] : []),
    ...(datetime === undefined ? [] : insideTime(datetime, table)),
  ];
}

function insideBox(bbox: readonly number[], table: Table): Expr {
  const name = table.roles.geometry;
  if (name === undefined)
    throw bad("bbox needs a geometry column, and this table has none; name one in the config");
  const [west, south, east, north] = bbox as [number, number, number, number];
  if (bbox.length !== 4 || !bbox.every(Number.isFinite) || south > north) {
    throw bad(`bbox is west,south,east,north in degrees with south <= north, not ${bbox.join(",")}`);
  }
  // Maps that are zoomed far out ask beyond the poles, and then far to the sides too.
  if ((south < -90 || north > 90) && Math.abs(west) <= 90 && Math.abs(east) <= 90)
    throw bad(
      `bbox is west,south,east,north: ${bbox.join(",")} has latitudes beyond 90; are they first in it?`,
    );
  return call("st_intersects", [column(name), call("st_makeenvelope", bbox.map(number))]);
}

/** Instants and closed intervals; a row with a start and an end matches where the two overlap. */
function insideTime(datetime: string, table: Table): Expr[] {
  const [from, to] = interval(datetime);
  const { time } = table.roles;
  if (time === undefined)
    throw bad("datetime needs a time column, and this table has none; name one in the config");
  const { start, end } = typeof time === "string" ? { start: time, end: time } : time;
  for (const name of [start, end]) {
    const type = table.columns.get(name)?.type;
    if (type?.kind !== "timestamp")
      throw bad(`datetime needs a timestamp column, but ${name} is ${type ? typeName(type) : "not there"}`);
  }
  return [
    ...(from === undefined ? [] : [compare(">=", end, from)]),
    ...(to === undefined ? [] : [compare("<=", start, to)]),
  ];
}

function interval(text: string): [string | undefined, string | undefined] {
  const ends = text.split("/").map((end) => (end === ".." || end === "" ? undefined : end));
  const [from, to] = ends.length === 1 ? [ends[0], ends[0]] : ends;
  const instants = [from, to].map((end) => (end === undefined ? undefined : parseRfc3339(end)));
  const wrong =
    ends.length > 2 || (!from && !to) || [from, to].some((end, i) => end !== undefined && !instants[i]);
  if (wrong) {
    const why = ends.map((end) => end && wrongInTimestamp(end)).find((each) => each);
    throw bad(
      `datetime is an RFC 3339 time (2025-07-01T00:00:00Z), or two as a/b, ../b or a/.., not ${text}${why ? `: ${why}` : ""}`,
    );
  }
  const [first, last] = instants.map(
    (instant) => instant && (instant.unit === "us" ? instant.value * 1000n : instant.value),
  );
  if (first !== undefined && last !== undefined && first > last)
    throw bad(`datetime ${text} ends before it begins`);
  return [from, to];
}

function bad(message: string): ZarrsiftError {
  return new ZarrsiftError("bad_parameter", message);
}
