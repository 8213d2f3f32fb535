import type { Expr } from "./ast.ts";
import type { Node } from "./grammar.ts";
import type { Call, Lexeme, Operator } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { type Chain, climb } from "./operators.ts";
import { asNode, asNodes, type Reading } from "./reading.ts";

/** The expression that `node` is: names of runs of operands and operators, calls and CASEs, joined by `+`. */
export function expression(node: Node, reading: Reading): Expr {
  const chain = new Links(flatten(node, reading), reading);
  const expr = climb(chain, 0);
  if (!chain.atEnd) throw reading.mismatch();
  return expr;
}

/** The links of a `+` chain in text order. Chains have thousands of links: no recursion. */
function flatten(node: Node, reading: Reading): Node[] {
  const links: Node[] = [];
  let rest = node;
  while (rest.type === "binary_expr") {
    reading.only(rest, "type", "operator", "left", "right");
    if (rest.operator !== "+") throw reading.mismatch();
    links.push(asNode(rest.right, reading));
    rest = asNode(rest.left, reading);
  }
  links.push(rest);
  return links.reverse();
}

class Links implements Chain {
  readonly reading: Reading;
  readonly #nodes: readonly Node[];
  #next = 0;

  constructor(nodes: readonly Node[], reading: Reading) {
    this.#nodes = nodes;
    this.reading = reading;
  }

  get atEnd(): boolean {
    return this.#next === this.#nodes.length;
  }

  operand(): Expr {
    const { reading } = this;
    if (reading.lexeme.kind === "atom") return atomOf(this.#atomOrOperator("atom"));
    const node = this.#take();
    return reading.nested(() => (node.type === "case" ? caseOf(node, reading) : callOf(node, reading)));
  }

  operator(): Operator {
    return this.#atomOrOperator("operator").operator;
  }

  #atomOrOperator<K extends "atom" | "operator">(kind: K): Extract<Lexeme, { kind: K }> {
    const name = this.reading.unnamed ? undefined : nameOf(this.#take(), this.reading);
    return this.reading.take(kind, name);
  }

  list(): Expr[] {
    return takeCall(this.#take(), this.reading).args;
  }

  #take(): Node {
    const node = this.#nodes[this.#next++];
    if (!node) throw this.reading.mismatch();
    return node;
  }
}

function atomOf({ value, text, at }: Extract<Lexeme, { kind: "atom" }>): Expr {
  if (value.type !== "star") return value;
  throw sqlError("sql_syntax", `${text} stands alone in SELECT, or in count(*)`, at);
}

/** The name that stands for a lexeme, or for a run of them. */
export function nameOf(node: Node, reading: Reading): unknown {
  if (node.type !== "column_ref") throw reading.mismatch();
  reading.only(node, "type", "column");
  const column = asNode(node.column, reading);
  reading.only(column, "expr");
  const name = asNode(column.expr, reading);
  reading.only(name, "type", "value");
  return name.value;
}

/** Takes a `*` that stands alone, if `node` is one. */
export function takesStar(node: Node | undefined, reading: Reading): boolean {
  const { lexeme } = reading;
  if (node?.type !== "column_ref" || lexeme.kind !== "atom" || lexeme.value.type !== "star") return false;
  if (reading.goesOn) return false;
  reading.take("atom", nameOf(node, reading));
  return true;
}

/** Takes a call; `starred` is one on `*` alone, which has no other arguments. */
function takeCall(node: Node, reading: Reading): { call: Call; args: Expr[]; starred: boolean } {
  reading.only(node, "type", "name", "args");
  const name = asNode(node.name, reading);
  reading.only(name, "name");
  const [part, ...more] = asNodes(name.name, reading);
  if (!part || more.length > 0) throw reading.mismatch();
  reading.only(part, "type", "value");
  const list = asNode(node.args, reading);
  reading.only(list, "type", "value");
  const { call } = reading.take("call", part.value);
  const nodes = asNodes(list.value, reading);
  const starred = nodes.length === 1 && takesStar(nodes[0], reading);
  const args = starred ? [] : expressions(nodes, reading);
  reading.expect("close");
  return { call, args, starred };
}

/** Expressions between commas. */
export function expressions(nodes: readonly Node[], reading: Reading): Expr[] {
  return nodes.map((node, i) => {
    if (i > 0) reading.expect("comma");
    return expression(node, reading);
  });
}

function callOf(node: Node, reading: Reading): Expr {
  const { at } = reading;
  const { call, args, starred } = takeCall(node, reading);
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
  throw reading.mismatch();
}

function caseOf(node: Node, reading: Reading): Expr {
  reading.only(node, "type", "expr", "args");
  const { at } = reading;
  reading.expect("CASE");
  const operand = node.expr === null ? undefined : expression(asNode(node.expr, reading), reading);
  const when: { condition: Expr; result: Expr }[] = [];
  let otherwise: Expr | undefined;
  for (const branch of asNodes(node.args, reading)) {
    if (branch.type === "else") otherwise = elseOf(branch, reading);
    else when.push(whenOf(branch, reading));
  }
  reading.expect("END");
  return { type: "case", operand, when, otherwise, at };
}

function whenOf(branch: Node, reading: Reading): { condition: Expr; result: Expr } {
  reading.only(branch, "type", "cond", "result");
  reading.expect("WHEN");
  const condition = expression(asNode(branch.cond, reading), reading);
  reading.expect("THEN");
  return { condition, result: expression(asNode(branch.result, reading), reading) };
}

function elseOf(branch: Node, reading: Reading): Expr {
  reading.only(branch, "type", "result");
  reading.expect("ELSE");
  return expression(asNode(branch.result, reading), reading);
}
