import { describe, expect, it } from "vitest";
import { isZarrsiftError, type ZarrsiftError } from "../../src/errors.ts";
import { parseSelect } from "../../src/sql/parse.ts";

function thrown(text: string): ZarrsiftError {
  try {
    parseSelect(text);
  } catch (error) {
    if (isZarrsiftError(error)) return error;
    throw error;
  }
  throw new Error(`no error for ${text}`);
}

/** `^` marks where the error must point. */
function check(marked: string, code: string, message: string): void {
  const offset = marked.indexOf("^");
  const error = thrown(marked.replace("^", ""));
  expect(error.message).toContain(message);
  expect(error.code).toBe(code);
  expect(error.at!.offset).toBe(offset);
  expect(error.message).toContain(`(line ${error.at!.line}, column ${error.at!.column})`);
}

describe("what is not supported is named, with its place", () => {
  it.each([
    ["SELECT a FROM meta ^JOIN b ON a = b", "Joins"],
    ["SELECT a FROM meta ^LEFT JOIN b ON a = b", "Joins"],
    ["SELECT a FROM meta ^CROSS JOIN b", "Joins"],
    ["SELECT a FROM meta^, b", "Joins"],
    ["SELECT a FROM meta m^, b", "Joins"],
    ["SELECT a FROM (^SELECT a FROM meta)", "Subqueries"],
    ["SELECT a FROM meta WHERE a IN (^SELECT b FROM c)", "Subqueries"],
    ["SELECT a FROM meta WHERE EXISTS (^SELECT 1)", "Subqueries"],
    ["SELECT (^SELECT 1) FROM meta", "Subqueries"],
    ["SELECT a FROM meta ^UNION SELECT a FROM meta", "UNION"],
    ["SELECT a FROM meta ^EXCEPT SELECT a FROM meta", "EXCEPT"],
    ["^WITH x AS (SELECT 1) SELECT a FROM x", "WITH"],
    ["SELECT a FROM meta ^WINDOW w AS (PARTITION BY b)", "Window"],
    ["SELECT count(*) ^OVER (PARTITION BY a) FROM meta", "OVER"],
    ["SELECT count(*) ^OVER w FROM meta", "OVER"],
    ["SELECT count(*) ^FILTER (WHERE a > 1) FROM meta", "FILTER"],
    ["SELECT a FROM meta ^FOR UPDATE", "FOR"],
    ["SELECT ^DISTINCT ON (a) a FROM meta", "DISTINCT ON"],
    ["SELECT a ^INTO b FROM meta", "INTO"],
    ["^VALUES (1)", "VALUES"],
    ["^INSERT INTO meta VALUES (1)", "INSERT"],
    ["^update meta SET a = 1", "UPDATE"],
    ["^DELETE FROM meta", "DELETE"],
    ["^DROP TABLE meta", "DROP"],
    ["SELECT a FROM meta^; DROP TABLE meta", "one statement"],
    ["SELECT ARRAY^[1] FROM meta", "Arrays"],
    ["SELECT a^[1] FROM meta", "Arrays"],
    ["SELECT a::int^[] FROM meta", "Arrays"],
    ["SELECT a ^-> 'b' FROM meta", "->"],
    ["SELECT a FROM meta WHERE a ^~ 'x'", "~"],
    ["SELECT a FROM meta WHERE a ^SIMILAR TO 'x'", "SIMILAR TO"],
    ["SELECT a FROM meta WHERE a ^NOT SIMILAR TO 'x'", "SIMILAR TO"],
    ["SELECT date ^AT TIME ZONE 'UTC' FROM meta", "AT TIME ZONE"],
    ['SELECT a ^COLLATE "C" FROM meta', "COLLATE"],
    ["SELECT a FROM meta ORDER BY a ^USING <", "USING"],
    ["SELECT a FROM meta WHERE a = ^ANY($1)", "ANY"],
    ["SELECT a FROM meta WHERE a = ^ALL(b)", "ALL"],
    ["SELECT a FROM meta WHERE a BETWEEN ^SYMMETRIC 1 AND 2", "SYMMETRIC"],
    ["SELECT a FROM meta ^TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"],
    ["SELECT a FROM ^public.meta", "schema"],
    ["SELECT ^public.meta.a FROM meta", "two parts"],
    ["SELECT ^pg_catalog.lower(a) FROM meta", "no schema"],
    ["SELECT ^meta.* FROM meta", "meta.*"],
    ["SELECT a FROM ^f(1)", "table's name"],
    ["SELECT 1^", "add FROM meta"],
    ["SELECT a FROM meta WHERE ^(a, b) = (1, 2)", "Lists in parentheses"],
    ["SELECT a FROM meta WHERE a IN (^(1, 2))", "Lists in parentheses"],
    ["SELECT ^CURRENT_TIME FROM meta", "CURRENT_TIMESTAMP"],
    ["SELECT ^BOTH FROM meta", "trim(BOTH x FROM y)"],
    ["SELECT trim(^FOR a) FROM meta", "substring"],
    ["SELECT ^INTERVAL '1-2' YEAR TO MONTH FROM meta", "INTERVAL"],
    ["SELECT ^INTERVAL '3 days' DAY FROM meta", "INTERVAL"],
    ["EXPLAIN ^(ANALYZE) SELECT a FROM meta", "EXPLAIN ANALYZE SELECT"],
    ["SELECT ^+a FROM meta", "plus sign"],
    ["^DESCRIBE meta", "one SELECT; SELECT * FROM meta LIMIT 1 shows the columns"],
    ["^show tables", "SELECT * FROM meta LIMIT 1 shows"],
  ])("%s", (marked, message) => {
    check(marked, "sql_unsupported", message);
  });
});

describe("syntax errors say what was found and what would work", () => {
  it.each([
    ["^", "The query is empty"],
    ["-- nothing^", "The query is empty"],
    [" ;^", "The query is empty"],
    ["^SELCT a FROM meta", "did you mean SELECT?"],
    ["SELECT ^FROM meta", "Nothing is selected"],
    ["SELECT a, ^FROM meta", "A value should follow the comma, found FROM"],
    ["SELECT a FROM^", "A table's name should follow FROM, found the end of the query"],
    ["SELECT a FROM meta WHERE^", "A value should follow WHERE, found the end of the query"],
    ["SELECT a FROM meta WHERE a = ^= b", "A value should follow =, found ="],
    ["SELECT a FROM meta WHERE ^AND a", "A value should follow WHERE, found AND"],
    ["SELECT a\r\nFROM meta\r\nWHERE a ^b", "an operator or a comma may be missing behind a"],
    ["SELECT a b ^c FROM meta", "an operator or a comma may be missing behind b"],
    ["SELECT a FROM meta m ^n", "an operator or a comma may be missing behind m"],
    ["SELECT a FROM meta WHERE ^(a = 1", ") is missing"],
    ["SELECT lower(a ^FROM meta", "is not closed"],
    ["SELECT a FROM meta WHERE a = 1^)", "its ( is missing"],
    ["SELECT ^CASE WHEN a THEN b", "END is missing"],
    ["SELECT CASE WHEN a THEN b ^FROM meta", "has no END"],
    ["SELECT (CASE WHEN a THEN b^) FROM meta", "has no END"],
    ["SELECT a ^END FROM meta", "END is not inside a CASE"],
    ["SELECT CASE ^END FROM meta", "A value should follow CASE, found END"],
    ["SELECT CASE a ^ELSE 1 END FROM meta", "Unexpected ELSE"],
    ["SELECT a FROM meta ORDER BY a ^WHERE b", "the order is SELECT, FROM, WHERE"],
    ["SELECT a FROM meta WHERE a ^WHERE b", "each once"],
    ["SELECT a FROM meta ^ORDER a", "the clause is ORDER BY"],
    ["SELECT ^user FROM meta", 'written "user"'],
    ["SELECT a FROM meta WHERE a ^IN $1", "IN needs a list"],
    ["SELECT a FROM meta WHERE a IN (^)", "A value should follow IN (, found )"],
    ["SELECT a FROM meta WHERE a ^IS 5", "IS takes"],
    ["SELECT a FROM meta WHERE a BETWEEN 1 ^OR 2", "BETWEEN is written"],
    ["SELECT a FROM meta WHERE a BETWEEN b ^< c AND d", "BETWEEN is written"],
    ["SELECT a FROM meta WHERE a = ^NOT b", "(NOT x)"],
    ["SELECT CAST(a^) FROM meta", "CAST is written"],
    ["SELECT CAST(a AS int ^b) FROM meta", "CAST is written"],
    ["SELECT a ^:: FROM meta", "A type should follow ::"],
    ["SELECT CAST(a ^AS) FROM meta", "A type should follow AS"],
    ["SELECT ^EXTRACT(year, a) FROM meta", "EXTRACT is written"],
    ["SELECT a FROM meta LIMIT ^b", "LIMIT takes one whole number"],
    ["SELECT a FROM meta LIMIT ^1.5", "LIMIT takes one whole number"],
    ["SELECT a FROM meta LIMIT ^-1", "LIMIT takes one whole number"],
    ["SELECT a FROM meta LIMIT ^5 + 1", "LIMIT takes one whole number"],
    ["SELECT a FROM meta LIMIT 5^, 10", "LIMIT takes one whole number"],
    ["SELECT a FROM meta LIMIT 5 LIMIT ^6", "LIMIT is given twice"],
    ["SELECT a FROM meta ^FETCH 5", "FETCH is written"],
    ["SELECT a, ^* + 1 FROM meta", "* stands alone"],
    ["SELECT * ^EXCLUDE (a) FROM meta", "* stands alone"],
    ["SELECT ^sum(*) FROM meta", "count(*) only"],
    ["SELECT ^count(DISTINCT) FROM meta", "DISTINCT needs a value"],
    ["SELECT a AS ^'b' FROM meta", "An alias is a plain name"],
    ["SELECT a ^'b' FROM meta", "An alias is a plain name"],
    ["SELECT a FROM ^'meta'", "A table is a plain name"],
    ["SELECT a FROM meta WHERE a = ^$0", "not a parameter"],
    ["SELECT f(a)^.b FROM meta", "Unexpected point"],
    ["SELECT f(^, a) FROM meta", "Unexpected ,"],
    ["SELECT f(^= a) FROM meta", "no value stands before it"],
    ["SELECT a FROM meta ORDER BY a DESC ^IN (1)", "no value stands before it"],
    ["SELECT a FROM meta WHERE b ^NOT c", "AND or OR may be missing"],
    ["SELECT a FROM meta WHERE b^, c", "joined with AND or OR"],
    ["SELECT a FROM meta ^= b", "Unexpected = behind a name"],
    ["SELECT a AS b ^+ c FROM meta", "Unexpected + behind a name"],
    ["SELECT a AS ^-b FROM meta", "A name should stand here"],
    ["SELECT a FROM meta WHERE b ^ESCAPE 'c'", "ESCAPE stands behind LIKE"],
  ])("%s", (marked, message) => {
    check(marked, "sql_syntax", message);
  });

  it("counts lines and columns for people", () => {
    expect(thrown("SELECT '😀',\r\n  '😀' || FROM meta").at).toEqual({ offset: 24, line: 2, column: 10 });
  });
});
