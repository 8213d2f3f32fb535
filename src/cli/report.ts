import { isZarrsiftError, messageOf, type Position } from "../errors.ts";
import { type OptionSpecs, UsageError } from "./args.ts";

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

/**
 * Says on stderr what went wrong, without a stack trace unless ZARRSIFT_DEBUG is set, and gives the exit status.
 *
 * @param options those of the command
 */
export function report(error: unknown, command: string | undefined, options: OptionSpecs = {}): 1 | 2 {
  const wrong = error instanceof UsageError;
  const help = wrong ? ` (see zarrsift ${command === undefined ? "" : `${command} `}--help)` : "";
  const message = messageOf(error instanceof SqlFailure ? error.cause : error);
  process.stderr.write(`zarrsift: ${inOptions(message, options)}${help}\n`);
  if (error instanceof SqlFailure && isZarrsiftError(error.cause) && error.cause.at) {
    process.stderr.write(pointAt(error.sql, error.cause.at));
  }
  if (process.env.ZARRSIFT_DEBUG) console.error(error);
  return wrong ? 2 : 1;
}

/**
 * What a message advises in the words of the library and of HTTP, such as `missing: "skip"` or `layout "stacked"`, as
 * options of a command, where it has them: `--missing skip`.
 */
export function inOptions(message: string, options: OptionSpecs): string {
  const said = (name: string, values: string, asWritten: string) => {
    const option = name.replace("_", "-");
    return Object.hasOwn(options, option) ? `--${option}${values.replaceAll('"', "")}` : asWritten;
  };
  return message
    .replace(/\b(missing|group_by|layout)(?:: | )("[a-z]+"(?: or "[a-z]+")?)/g, (all, name, values) =>
      said(name, ` ${values}`, all),
    )
    .replace(/\bthe ([a-z]+) layout$/, (all, layout) => said("layout", ` ${layout}`, all))
    .replace(/(?<=\bwith )variables\b/g, (all) => said(all, "", all))
    .replace(/\bcollection\.explain\(sql\)$/, "zarrsift query shows it");
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
