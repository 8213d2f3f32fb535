import { endsOperand, type Lexeme, startsOperand } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { describe } from "./structure.ts";

/** The error for the last of the lexemes `read`, which nothing allows behind the others. */
export function unexpected(read: readonly Lexeme[]): Error {
  const [found, before, beforeThat] = read.slice(-3).reverse() as [
    Lexeme,
    Lexeme | undefined,
    Lexeme | undefined,
  ];
  const advice = rowCountAdvice(before) ?? rowCountAdvice(beforeThat) ?? missingAdvice(found, before);
  return sqlError("sql_syntax", `Unexpected ${describe(found)}${advice}`, found.at);
}

function rowCountAdvice(lexeme: Lexeme | undefined): string | undefined {
  if (lexeme?.kind !== "keyword" || (lexeme.word !== "LIMIT" && lexeme.word !== "OFFSET")) return undefined;
  return `: ${lexeme.text.toUpperCase()} takes one whole number or parameter`;
}

function missingAdvice(found: Lexeme, before: Lexeme | undefined): string {
  if (before?.kind === "atom" && before.value.type === "star")
    return ": * stands alone, else name the columns";
  if (startsOperand(found) && endsOperand(before)) {
    return `: an operator or a comma may be missing behind ${describe(before!)}`;
  }
  if (found.kind !== "keyword") return "";
  return ": the order is SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET, each once";
}
