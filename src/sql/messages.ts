import { type ErrorCode, type Position, ZarrsiftError } from "../errors.ts";

/** An error of the query: `message` with the place added, and `at` for machines. */
export function sqlError(code: ErrorCode, message: string, at: Position): ZarrsiftError {
  return new ZarrsiftError(code, `${message} (line ${at.line}, column ${at.column})`, { at });
}

/** A piece of the query as a message shows it: one line, at most 40 characters. */
export function shown(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length <= 40 ? line : `${characters.slice(0, 37).join("")}...`;
}

/** Where `offset` is in `text`. For single look-ups: the tokenizer counts as it goes. */
export function positionAt(text: string, offset: number): Position {
  return advance({ offset: 0, line: 1, column: 1 }, text.slice(0, offset));
}

/** The place behind `passed`, which starts at `from`. Columns count characters, CRLF is one line end. */
export function advance(from: Position, passed: string): Position {
  const offset = from.offset + passed.length;
  if (!/[\n\r\ud800-\udfff]/.test(passed))
    return { offset, line: from.line, column: from.column + passed.length };
  const lines = passed.split(/\r\n|\r|\n/);
  const width = [...lines.at(-1)!].length;
  const column = lines.length === 1 ? from.column + width : width + 1;
  return { offset, line: from.line + lines.length - 1, column };
}
