/** What certain words and operators mean to us: which are reserved, which name something that is not supported. */

const JOIN = "Joins are not supported: a query reads one table";
const SETS = "UNION, INTERSECT and EXCEPT are not supported: run the queries one by one";
const WINDOWS = "Window functions are not supported";
const CLOCK = "is not supported: write CURRENT_TIMESTAMP";
const ANY = "ANY, SOME and ALL are not supported: write IN (...)";

/** Reserved words of constructs that are not supported, with what to say. */
const UNSUPPORTED: Record<string, string> = {
  JOIN,
  INNER: JOIN,
  LEFT: JOIN,
  RIGHT: JOIN,
  FULL: JOIN,
  OUTER: JOIN,
  CROSS: JOIN,
  NATURAL: JOIN,
  LATERAL: JOIN,
  USING: "USING is not supported",
  ON: "ON is not supported: no joins, no DISTINCT ON",
  UNION: SETS,
  INTERSECT: SETS,
  EXCEPT: SETS,
  WITH: "WITH is not supported: write one SELECT",
  WINDOW: WINDOWS,
  INTO: "SELECT INTO is not supported: queries only read",
  FOR: "FOR stands in substring(x FROM a FOR b) only: queries only read",
  COLLATE: "COLLATE is not supported: strings order by their UTF-8 bytes",
  SIMILAR: "SIMILAR TO is not supported: write LIKE or ILIKE",
  ARRAY: "Arrays are not supported",
  ANY,
  SOME: ANY,
  ALL: ANY,
  ONLY: "ONLY is not supported: write FROM and the table's name",
  RETURNING: "RETURNING is not supported: queries only read",
  TABLESAMPLE: "TABLESAMPLE is not supported",
  OVERLAPS: "OVERLAPS is not supported: compare the ends with < and >",
  SYMMETRIC: "BETWEEN SYMMETRIC is not supported: write the smaller bound first",
  ASYMMETRIC: "BETWEEN ASYMMETRIC is not supported: write BETWEEN",
  PLACING: "overlay(... PLACING ...) is not supported",
  LEADING: "LEADING stands in trim(LEADING x FROM y) only",
  TRAILING: "TRAILING stands in trim(TRAILING x FROM y) only",
  BOTH: "BOTH stands in trim(BOTH x FROM y) only",
  CURRENT_TIME: `CURRENT_TIME ${CLOCK}`,
  LOCALTIME: `LOCALTIME ${CLOCK}`,
};

/** PostgreSQL's other reserved words: as a column or table they need double quotes. */
const RESERVED = new Set(
  `ANALYSE ANALYZE AND AS ASC AUTHORIZATION BETWEEN BINARY CASE CAST CHECK COLLATION COLUMN CONCURRENTLY CONSTRAINT
  CREATE CURRENT_CATALOG CURRENT_DATE CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DESC DISTINCT DO ELSE END FALSE
  FETCH FOREIGN FREEZE FROM GRANT GROUP HAVING ILIKE IN INITIALLY IS ISNULL LIKE LIMIT LOCALTIMESTAMP NOT NOTNULL NULL OFFSET OR ORDER
  PRIMARY REFERENCES SELECT SESSION_USER SYSTEM_USER TABLE THEN TO TRUE UNIQUE USER VARIADIC VERBOSE WHEN WHERE`.split(
    /\s+/,
  ),
);

/** Words that other statements start with. */
const STATEMENTS = new Set(
  `ALTER ANALYZE ATTACH BEGIN CALL COMMIT COPY CREATE DELETE DESCRIBE DROP EXECUTE GRANT INSERT INSTALL LOAD MERGE PRAGMA
  PREPARE REVOKE ROLLBACK SET SHOW SUMMARIZE TABLE TRUNCATE UPDATE USE VACUUM VALUES WITH`.split(/\s+/),
);

const OPERATOR_HINTS: Record<string, string> = {
  "==": "write =",
  "===": "write =",
  "!==": "write <>",
  "=<": "write <=",
  "=>": "write >=, and arguments without names",
  "&&": "write AND, or ST_Intersects(a, b) for geometry",
  "!": "write NOT, or <> for unequal",
  "^": "write power(x, y)",
  "**": "write power(x, y)",
  "//": "write floor(a / b)",
  "~": "write LIKE or ILIKE",
  "~*": "write ILIKE",
  "!~": "write NOT LIKE",
  "!~*": "write NOT ILIKE",
  "~~": "write LIKE",
  "?": "parameters are $1, $2",
  ":": "parameters are $1, $2",
  "@": "parameters are $1, $2",
  "->": "there is no JSON here",
  "->>": "there is no JSON here",
  "<->": "write ST_Distance(a, b)",
};

/** Why a construct that `word` (upper case) belongs to is refused, if it is. */
export function unsupportedWord(word: string): string | undefined {
  return Object.hasOwn(UNSUPPORTED, word) ? UNSUPPORTED[word] : undefined;
}

/** Whether `word` (upper case) cannot name a column or a table without quotes. */
export function isReserved(word: string): boolean {
  return RESERVED.has(word) || Object.hasOwn(UNSUPPORTED, word);
}

/** Whether a statement of SQL other than SELECT starts with `word` (upper case). */
export function isStatement(word: string): boolean {
  return STATEMENTS.has(word);
}

/** ": what to write instead", or nothing. */
export function operatorHint(operator: string): string {
  return Object.hasOwn(OPERATOR_HINTS, operator) ? `: ${OPERATOR_HINTS[operator]}` : "";
}
