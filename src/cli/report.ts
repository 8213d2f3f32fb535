import { isZarrsiftError, messageOf, type Position } from "../errors.ts";
import { UsageError } from "./args.ts";

/** A failure in a SQL text, with the text, so that the place can be shown. */
export class SqlFailure extends Error {
  override readonly name = "SqlFailure";
  readonly sql: string;
  constructor(cause: Error, sql: string) {
    super(cause.message, { cause });
    this.sql = sql;
  }
}

/** Characters of a long SQL line shown on each side of the place. */
const AROUND = 36;

/** Says on stderr what went wrong, without a stack trace unless ZARRSIFT_DEBUG is set, and gives the exit status. */
export function report(error: unknown, command: string | undefined): 1 | 2 {
  const wrong = error instanceof UsageError;
  const help = wrong ? ` (see zarrsift ${command === undefined ? "" : `${command} `}--help)` : "";
  process.stderr.write(`zarrsift: ${messageOf(error instanceof SqlFailure ? error.cause : error)}${help}\n`);
  if (error instanceof SqlFailure && isZarrsiftError(error.cause) && error.cause.at) {
    process.stderr.write(pointAt(error.sql, error.cause.at));
  }
  if (process.env.ZARRSIFT_DEBUG) console.error(error);
  return wrong ? 2 : 1;
}

/** The line of `sql` that `at` is in, indented, and a caret under the place. */
export function pointAt(sql: string, at: Position): string {
  const line = (sql.split("\n")[at.line - 1] ?? "").replace(/[\t\r]/g, " ");
  const column = Math.min(at.column - 1, line.length);
  const from = Math.max(0, column - AROUND);
  const to = Math.min(line.length, column + AROUND);
  const before = from > 0 ? "…" : "";
  const after = to < line.length ? "…" : "";
  return `  ${before}${line.slice(from, to)}${after}\n  ${" ".repeat(before.length + column - from)}^\n`;
}
