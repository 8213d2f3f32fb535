/** Random SQL for tests, from a seed. */

/** mulberry32: numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(next: () => number, choices: readonly T[]): T {
  return choices[Math.floor(next() * choices.length)]!;
}

const INFIX = [
  "AND",
  "OR",
  "=",
  "<>",
  "<",
  "<=",
  ">",
  ">=",
  "+",
  "-",
  "*",
  "/",
  "%",
  "||",
  "LIKE",
  "NOT LIKE",
];
const TESTS = [
  "IS NULL",
  "IS NOT NULL",
  "IS TRUE",
  "IS NOT FALSE",
  "IN (1, b)",
  "NOT IN ('x')",
  "::int",
  "::text",
];
const ATOMS = [
  "a",
  "b",
  "c",
  '"d e"',
  "1",
  "2.5",
  "'x'",
  "'it''s'",
  "TRUE",
  "NULL",
  "f(a, b + 1)",
  "f()",
  "CAST(a AS int)",
];

/** An expression written without thought for precedence; parentheses now and then. */
export function wildExpression(next: () => number, depth: number): string {
  if (depth === 0 || next() < 0.1) return pick(next, ATOMS);
  const part = (): string => wildExpression(next, depth - 1);
  const form = next();
  if (form < 0.55) return `${part()} ${pick(next, INFIX)} ${part()}`;
  if (form < 0.65) return `NOT ${part()}`;
  if (form < 0.7) return `- ${part()}`;
  if (form < 0.78) return `${part()} ${pick(next, TESTS)}`;
  if (form < 0.84) return `${part()} ${pick(next, ["", "NOT "])}BETWEEN ${part()} AND ${part()}`;
  if (form < 0.87) return `${part()} IS ${pick(next, ["", "NOT "])}DISTINCT FROM ${part()}`;
  if (form < 0.91) return `CASE WHEN ${part()} THEN ${part()} ELSE ${part()} END`;
  return `(${part()})`;
}
