import type { Expr } from "./ast.ts";
import type { Call, Lexeme } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { type Chain, climb } from "./operators.ts";
import type { Reading } from "./reading.ts";

/** The expression that comes next. */
export function expression(reading: Reading): Expr {
  return climb(chainOf(reading), 0);
}

/** Expressions between commas. */
export const expressions = (reading: Reading): Expr[] => reading.list(() => expression(reading));

const chainOf = (reading: Reading): Chain => ({
  reading,
  operand: () => operand(reading),
  operator: () => reading.take("operator").operator,
  list: () => takeCall(reading).args,
});

function operand(reading: Reading): Expr {
  const { lexeme } = reading;
  if (lexeme.kind === "atom") return atomOf(reading.take("atom"));
  return reading.nested(() => (lexeme.kind === "call" ? callOf(reading) : caseOf(reading)));
}

function atomOf({ value, text, at }: Extract<Lexeme, { kind: "atom" }>): Expr {
  if (value.type !== "star") return value;
  throw sqlError("sql_syntax", `${text} stands alone in SELECT, or in count(*)`, at);
}

/** Takes a `*` that stands alone, if one is next. */
export function takesStar(reading: Reading): boolean {
  const { lexeme, goesOn } = reading;
  if (lexeme.kind !== "atom" || lexeme.value.type !== "star" || goesOn) return false;
  reading.take("atom");
  return true;
}

/** Takes a call; `starred` is one on `*` alone, which has no other arguments. */
function takeCall(reading: Reading): { call: Call; args: Expr[]; starred: boolean } {
  const { call } = reading.take("call");
  if (reading.skip("close")) return { call, args: [], starred: false };
  const starred = takesStar(reading);
  const args = starred ? [] : expressions(reading);
  reading.expect("close");
  return { call, args, starred };
}

function callOf(reading: Reading): Expr {
  const { at } = reading;
  const { call, args, starred } = takeCall(reading);
  if (call.form === "function") {
    if (call.distinct && args.length === 0)
      throw sqlError("sql_syntax", "DISTINCT needs a value behind it", at);
    if (!starred || (call.name === "count" && !call.distinct)) {
      const ordered = call.words === "swapped" ? args.reverse() : args;
      return { type: "call", name: call.name, args: ordered, distinct: call.distinct, star: starred, at };
    }
    throw sqlError("sql_syntax", "* stands in count(*) only", at);
  }
  const [only, ...more] = args;
  if (only && more.length === 0) return formOf(call, only, at, reading);
  throw sqlError("sql_unsupported", "Lists in parentheses are not supported: they stand behind IN", at);
}

function formOf(call: Call, operand: Expr, at: Lexeme["at"], reading: Reading): Expr {
  if (call.form === "group") return operand;
  if (call.form === "extract") return { type: "extract", field: call.field, operand, at };
  if (call.form === "cast" && call.to !== undefined) return { type: "cast", operand, to: call.to, at };
  throw reading.unexpected();
}

function caseOf(reading: Reading): Expr {
  const { at } = reading;
  reading.expect("CASE");
  const when: { condition: Expr; result: Expr }[] = [];
  const operand = sees(reading, "WHEN") ? undefined : expression(reading);
  do when.push(whenOf(reading));
  while (sees(reading, "WHEN"));
  const otherwise = reading.skip("ELSE") ? expression(reading) : undefined;
  reading.expect("END");
  return { type: "case", operand, when, otherwise, at };
}

const sees = ({ lexeme }: Reading, word: string): boolean =>
  lexeme.kind === "keyword" && lexeme.word === word;

function whenOf(reading: Reading): { condition: Expr; result: Expr } {
  reading.expect("WHEN");
  const condition = expression(reading);
  reading.expect("THEN");
  return { condition, result: expression(reading) };
}
