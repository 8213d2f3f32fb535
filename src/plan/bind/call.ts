/** Function calls: which there are, what they take. */
import type { Position } from "../../errors.ts";
import type { Predicate } from "../../geometry/predicates.ts";
import type { Expr } from "../../sql/ast.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import { suggest } from "../../sql/suggest.ts";
import { BOOL, FLOAT64, NULL_TYPE, type SqlType, STRING, typeName } from "../../table/types.ts";
import { canCast } from "../functions/cast.ts";
import { ALIASES, FUNCTIONS } from "../functions/functions.ts";
import { CONSTRUCTORS, GEOMETRY } from "../functions/geometry-values.ts";
import { MEASURES } from "../functions/measures.ts";
import type { ArgumentKind } from "../functions/scalar.ts";
import { hasPart, isTruncation } from "../functions/time-functions.ts";
import { TIME_PARTS, type TimePart, timePart } from "../functions/time-units.ts";
import { bindArithmetic, withoutMonths } from "./arithmetic.ts";
import { type BoundExpr, constant, isConstant, nullBool } from "./bound.ts";
import { bindComparison, fitConstant } from "./compare.ts";
import { toDate } from "./dates.ts";
import { fold } from "./fold.ts";
import { commonType, fitted } from "./result-type.ts";

type Call = Extract<Expr, { type: "call" }>;

const SPATIAL: Record<string, Predicate> = {
  st_intersects: "intersects",
  st_disjoint: "disjoint",
  st_within: "within",
  st_contains: "contains",
  st_covers: "covers",
  st_coveredby: "coveredBy",
  st_touches: "touches",
  st_crosses: "crosses",
  st_overlaps: "overlaps",
  st_equals: "equals",
};

/** Functions that fold many rows into one. */
export const AGGREGATES = new Set(["count", "min", "max", "sum", "avg", "st_extent"]);

/** All names, for suggestions. */
const NAMES = [
  ...AGGREGATES,
  ...FUNCTIONS.keys(),
  ...ALIASES.keys(),
  ...CONSTRUCTORS.keys(),
  ...Object.keys(SPATIAL),
  ...MEASURES.keys(),
  ..."coalesce nullif now today date_part mod pi greatest least concat concat_ws".split(" "),
].filter((name) => /^\w+$/.test(name));

const KNOWN = new Set(NAMES);

/** Aggregates that others have. */
const OTHER_AGGREGATES =
  /^(any_value|approx|arg_?m|array_agg|bit_|bool_|corr|covar|every|first|group_|histogram|last|list|mean|median|mode|percentile|product|quantile|st_collect|st_union|std|string_agg|var)/;

/**
 * Called before the arguments are looked at: what they may be depends on the function.
 * @param groups whether the call is read of groups, so that an aggregate is likely to be meant
 * @throws ZarrsiftError `unknown_function`
 */
export function checkName({ name, at }: Call, groups: boolean): void {
  if (KNOWN.has(name)) return;
  const guess = suggest(name, NAMES);
  const others = groups || OTHER_AGGREGATES.test(name);
  const meant = guess ? `, did you mean ${guess}()?` : "";
  const list = others ? `${guess ? " A" : "; a"}ggregates are ${[...AGGREGATES].join(", ")}` : "";
  throw sqlError("unknown_function", `Unknown function ${shown(name)}()${meant}${list}`, at);
}

/** A call of `args`, its name checked. `now` is the clock in µs, undefined where the answer must not depend on it. */
export function bindCall(call: Call, args: BoundExpr[], now: bigint | undefined): BoundExpr {
  const { at } = call;
  const name = ALIASES.get(call.name) ?? call.name;
  if (call.distinct || call.star || AGGREGATES.has(name)) throw misplaced(call);
  if (Object.hasOwn(SPATIAL, name)) return spatial(call, SPATIAL[name]!, args);
  if (CONSTRUCTORS.has(name)) return construct(call, args);
  if (name === "coalesce") return coalesce(call, args);
  if (name === "nullif") return nullif(call, args);
  if (name === "now") return clock(call, args, now);
  if (name === "today") return toDate(clock(call, args, now), at);
  if (name === "date_part") return datePart(call, args);
  if (name === "mod") return modulo(call, args);
  if (name === "pi") return pi(call, args);
  if (name === "greatest" || name === "least") return extreme(call, name, args);
  if (name === "concat" || name === "concat_ws") return concatenated(call, name, args);
  const fn = FUNCTIONS.get(name) ?? measureOf(name)!;
  checkCount(call, args, fn.args.length - (fn.optional ?? 0), fn.args.length);
  const fitted = args.map((arg, i) => fitArgument(call, arg, fn.args[i]!));
  if (name === "date_trunc") checkTruncation(fitted[0]!);
  const isNull = fitted.some((arg) => arg.type.kind === "null" || (isConstant(arg) && arg.value === null));
  const type = fn.result(fitted.map((arg) => arg.type));
  if (isNull) return constant(null, args.some((arg) => arg.type.kind === "null") ? NULL_TYPE : type, at);
  return asLike(name, fitted, at) ?? { node: "call", name, args: fitted, type, at };
}

/** What stands around a text in the LIKE pattern that says the same. */
const AROUND: Record<string, [string, string]> = {
  starts_with: ["", "%"],
  ends_with: ["%", ""],
  contains: ["%", "%"],
};

/** `starts_with(s, 'a')` is `s LIKE 'a%'`, which compares bytes. */
function asLike(name: string, [operand, text]: BoundExpr[], at: Position): BoundExpr | undefined {
  const around = Object.hasOwn(AROUND, name) ? AROUND[name]! : undefined;
  if (!around || !isConstant(text!)) return undefined;
  const escaped = (text.value as string).replace(/[\\%_]/g, "\\$&");
  const pattern = constant(around[0] + escaped + around[1], STRING, text.at);
  return { node: "like", operand: operand!, pattern, escape: "\\", insensitive: false, type: BOOL, at };
}

function measureOf(name: string) {
  const measure = MEASURES.get(name);
  return measure && { args: measure.args, optional: 0, result: () => measure.result };
}

/** A text constant is a timestamp where one is wanted. */
function fitArgument(call: Call, arg: BoundExpr, kind: ArgumentKind): BoundExpr {
  const wantsTime = kind === "timestamp" || kind === "time";
  const fitted = wantsTime ? fitConstant(arg, { kind: "timestamp", unit: "us" }) : arg;
  checkKind(call, fitted, kind);
  return fitted;
}

/** A constant name of a part of time. @throws ZarrsiftError `sql_type` */
function partOf(name: BoundExpr): TimePart {
  const given = isConstant(name) ? name.value : undefined;
  if (typeof given !== "string")
    throw sqlError("sql_type", "The part of time is a text that does not depend on rows: 'year'", name.at);
  return knownPart(given, name.at);
}

function knownPart(name: string, at: Position): TimePart {
  const part = timePart(name);
  if (part) return part;
  const guess = suggest(name, TIME_PARTS);
  const hint = guess ? `did you mean '${guess}'?` : `they are ${TIME_PARTS.join(", ")}`;
  throw sqlError("sql_type", `'${shown(name)}' is not a part of time, ${hint}`, at);
}

function checkTruncation(unit: BoundExpr): void {
  if (isConstant(unit) && unit.value === null) return;
  const part = partOf(unit);
  if (!isTruncation(part))
    throw sqlError("sql_type", `date_trunc() has nothing to cut off to '${part}'`, unit.at);
}

function datePart(call: Call, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 2);
  return bindPart(partOf(args[0]!), args[1]!, call.at);
}

/** `extract(field FROM operand)`. */
export function bindPart(field: string, operand: BoundExpr, at: Position): BoundExpr {
  const name = knownPart(field, at);
  const call: Call = { type: "call", name, args: [], distinct: false, star: false, at };
  const arg = fitArgument(call, operand, "time");
  if (!hasPart(name, arg.type))
    throw sqlError("sql_type", `A duration has no ${name}: it has days and less, and epoch`, arg.at);
  return bindCall(call, [arg], undefined);
}

function modulo(call: Call, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 2);
  return withoutMonths(bindArithmetic("%", args[0]!, args[1]!, call.at));
}

function pi(call: Call, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 0);
  return constant(Math.PI, FLOAT64, call.at);
}

/** Of all that are not NULL, in the type that holds them all. */
function extreme(call: Call, name: string, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 1, Number.POSITIVE_INFINITY);
  const { at } = call;
  const alike = fitted(args);
  const type = commonType(alike, `${call.name}()`, at);
  if (type.kind === "geometry") throw sqlError("sql_type", `${call.name}() cannot order geometry`, at);
  if (type.kind === "null") return constant(null, NULL_TYPE, at);
  const cast = alike.map((arg) =>
    sameType(arg.type, type) ? arg : fold({ node: "cast", operand: arg, type, at }),
  );
  return { node: "call", name, args: cast, type, at };
}

const sameType = (a: SqlType, b: SqlType) => JSON.stringify(a) === JSON.stringify(b);

/** Text of all that are not NULL; the first of concat_ws() stands between. */
function concatenated(call: Call, name: string, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, name === "concat" ? 1 : 2, Number.POSITIVE_INFINITY);
  for (const [i, arg] of args.entries()) {
    if (name === "concat_ws" && i === 0) checkKind(call, arg, "string");
    if (!canCast(arg.type, STRING))
      throw sqlError("sql_type", `${name}() joins text, not ${typeName(arg.type)}`, arg.at);
  }
  return { node: "call", name, args, type: STRING, at: call.at };
}

function checkCount({ name, at }: Call, args: readonly BoundExpr[], least: number, most = least): void {
  if (args.length >= least && args.length <= most) return;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  throw sqlError(
    "sql_type",
    `${name}() takes ${wanted} argument${most === 1 ? "" : "s"}, not ${args.length}`,
    at,
  );
}

const KINDS: Record<ArgumentKind, { kinds: readonly SqlType["kind"][]; text: string }> = {
  string: { kinds: ["string"], text: "text" },
  bytes: { kinds: ["bytes"], text: "bytes" },
  octets: { kinds: ["string", "bytes"], text: "text or bytes" },
  number: { kinds: ["int", "float"], text: "a number" },
  integer: { kinds: ["int"], text: "an integer" },
  timestamp: { kinds: ["timestamp"], text: "a timestamp" },
  time: { kinds: ["timestamp", "duration"], text: "a timestamp" },
  geometry: { kinds: ["geometry"], text: "geometry" },
};

function checkKind({ name }: Call, arg: BoundExpr, kind: ArgumentKind): void {
  const { kinds, text } = KINDS[kind];
  if (arg.type.kind === "null" || kinds.includes(arg.type.kind)) return;
  const hint = kind === "geometry" ? hintFor(arg.type) : "";
  throw sqlError("sql_type", `${name}() takes ${text}, not ${typeName(arg.type)}${hint}`, arg.at);
}

/** How to make geometry of a value. */
function hintFor({ kind }: SqlType): string {
  if (kind === "string") return "; write ST_GeomFromText(…)";
  return kind === "bytes" ? "; write ST_GeomFromWKB(…)" : "";
}

function spatial(call: Call, predicate: Predicate, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 2);
  for (const { type, at } of args) {
    if (type.kind === "geometry" || type.kind === "null") continue;
    throw sqlError("sql_type", `${call.name}() compares geometry, not ${typeName(type)}${hintFor(type)}`, at);
  }
  const [left, right] = args as [BoundExpr, BoundExpr];
  const isNull = (arg: BoundExpr) => arg.type.kind === "null" || (isConstant(arg) && arg.value === null);
  if (isNull(left) || isNull(right)) return nullBool(call.at);
  return { node: "spatial", predicate, left, right, type: BOOL, at: call.at };
}

/** The SRID is checked and dropped: all geometry is in 4326. */
function construct(call: Call, args: BoundExpr[]): BoundExpr {
  const kinds = CONSTRUCTORS.get(call.name)!;
  checkCount(call, args, kinds.length, kinds.length + 1);
  kinds.forEach((kind, i) => {
    if (kind === "bytes" && args[i]!.type.kind === "geometry") return;
    checkKind(call, args[i]!, kind);
  });
  const srid = args[kinds.length];
  if (srid && !(isConstant(srid) && Number(srid.value) === 4326)) {
    throw sqlError(
      "sql_type",
      `${call.name}() takes SRID 4326 alone: geometry is in degrees, EPSG:4326`,
      srid.at,
    );
  }
  return { node: "call", name: call.name, args: args.slice(0, kinds.length), type: GEOMETRY, at: call.at };
}

function coalesce(call: Call, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 1, Number.POSITIVE_INFINITY);
  const operands = fitted(args);
  return { node: "coalesce", operands, type: commonType(operands, "coalesce()", call.at), at: call.at };
}

/** NULL where both are equal, else the first. */
function nullif(call: Call, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 2);
  const [first, second] = args as [BoundExpr, BoundExpr];
  const { at } = call;
  const condition = bindComparison("=", first, second, at);
  return {
    node: "case",
    when: [{ condition, result: constant(null, first.type, at) }],
    otherwise: first,
    type: first.type,
    at,
  };
}

function clock(call: Call, args: BoundExpr[], now: bigint | undefined): BoundExpr {
  checkCount(call, args, 0);
  if (now === undefined) {
    throw sqlError(
      "sql_unsupported",
      `${call.name}() is not supported here, where the answer must stay the same: write the time itself`,
      call.at,
    );
  }
  return constant(now, { kind: "timestamp", unit: "us" }, call.at);
}

function misplaced({ name, at }: Call) {
  const message = AGGREGATES.has(name)
    ? `${name}() works on many rows: it can stand in SELECT, HAVING and ORDER BY, not in WHERE, GROUP BY or another aggregate`
    : `${name}() is no aggregate: it takes no * and no DISTINCT`;
  return sqlError("sql_syntax", message, at);
}
