/** Function calls: which there are, what they take. */
import type { Predicate } from "../geometry/predicates.ts";
import type { Expr } from "../sql/ast.ts";
import { sqlError } from "../sql/messages.ts";
import { suggest } from "../sql/suggest.ts";
import { BOOL, NULL_TYPE, type SqlType, typeName } from "../table/types.ts";
import { type BoundExpr, constant, isConstant, nullBool } from "./bound.ts";
import { bindComparison } from "./compare.ts";
import { ALIASES, FUNCTIONS } from "./functions.ts";
import { CONSTRUCTORS, GEOMETRY } from "./geometry-values.ts";
import { commonType } from "./result-type.ts";

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

/** Functions that SQL has and we do not, yet. */
const NOT_YET = new Set(
  `date_trunc date_part extract substr substring replace left right lpad rpad concat strpos position starts_with
  greatest least sign power pow exp ln log mod trunc st_dwithin st_distance st_centroid st_envelope st_area st_xmin st_xmax
  st_ymin st_ymax st_x st_y st_astext st_asgeojson st_asbinary to_timestamp age ltrim rtrim`.split(/\s+/),
);

/** All names, for suggestions. */
const NAMES = [
  ...AGGREGATES,
  ...FUNCTIONS.keys(),
  ...ALIASES.keys(),
  ...CONSTRUCTORS.keys(),
  ...Object.keys(SPATIAL),
  "coalesce",
  "nullif",
  "now",
];

/** A call of `args`. `now` is the clock in µs, undefined where the answer must not depend on it. */
export function bindCall(call: Call, args: BoundExpr[], now: bigint | undefined): BoundExpr {
  const { at } = call;
  const name = ALIASES.get(call.name) ?? call.name;
  if (call.distinct || call.star || AGGREGATES.has(name)) throw misplaced(call);
  if (Object.hasOwn(SPATIAL, name)) return spatial(call, SPATIAL[name]!, args);
  if (CONSTRUCTORS.has(name)) return construct(call, args);
  if (name === "coalesce") return coalesce(call, args);
  if (name === "nullif") return nullif(call, args);
  if (name === "now") return clock(call, args, now);
  const fn = FUNCTIONS.get(name);
  if (!fn) throw unknown(call);
  checkCount(call, args, fn.args.length);
  for (const [i, kind] of fn.args.entries()) checkKind(call, args[i]!, kind);
  if (args.some(({ type }) => type.kind === "null")) return constant(null, NULL_TYPE, at);
  return { node: "call", name, args, type: fn.result(args.map(({ type }) => type)), at };
}

function unsupported({ name, at }: Call, why: string) {
  return sqlError("sql_unsupported", `${name}() is not supported: ${why}`, at);
}

function unknown(call: Call) {
  if (NOT_YET.has(call.name)) return unsupported(call, "this version does not have it");
  const guess = suggest(call.name, NAMES);
  const hint = guess ? `, did you mean ${guess}()?` : "";
  return sqlError("unknown_function", `Unknown function ${call.name}()${hint}`, call.at);
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

const KINDS: Record<"string" | "bytes" | "number", readonly SqlType["kind"][]> = {
  string: ["string", "null"],
  bytes: ["bytes", "null"],
  number: ["int", "float", "null"],
};

function checkKind({ name }: Call, arg: BoundExpr, kind: keyof typeof KINDS): void {
  if (KINDS[kind].includes(arg.type.kind)) return;
  throw sqlError(
    "sql_type",
    `${name}() takes ${kind === "string" ? "text" : `a ${kind}`}, not ${typeName(arg.type)}`,
    arg.at,
  );
}

function spatial(call: Call, predicate: Predicate, args: BoundExpr[]): BoundExpr {
  checkCount(call, args, 2);
  for (const { type, at } of args) {
    if (type.kind === "geometry" || type.kind === "null") continue;
    const hint =
      type.kind === "string"
        ? "; write ST_GeomFromText(…)"
        : type.kind === "bytes"
          ? "; write ST_GeomFromWKB(…)"
          : "";
    throw sqlError("sql_type", `${call.name}() compares geometry, not ${typeName(type)}${hint}`, at);
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
  return { node: "coalesce", operands: args, type: commonType(args, "coalesce()", call.at), at: call.at };
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
      "now() is not supported here, where the answer must stay the same: write the timestamp",
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
