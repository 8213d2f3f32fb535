/** Views that outlive the process: one SQLite file, through libsql. */
import { ZarrsiftError } from "../errors.ts";
import type { Layout, ViewDefinition } from "../view/api.ts";

/** What is told of a view without opening it. Times are milliseconds since 1970. */
export interface StoredView {
  id: string;
  collection: string;
  sql: string | null;
  version: string;
  layout: Layout;
  /** Whether a stacked view has a stack for each encoding. */
  groupBy?: "encoding";
  count: number;
  skipped: number;
  fields: string[];
  created: number;
  /** `null`: never. */
  expires: number | null;
  used: number;
}

export type NewView = Omit<StoredView, "created" | "expires" | "used">;

interface Row {
  seq: number;
  about: string;
  created: number;
  expires: number | null;
  used: number;
}

interface Statement {
  run(...values: unknown[]): { changes: number };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  close(): unknown;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS views (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    about TEXT NOT NULL,
    definition TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    used INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS views_expires ON views (expires) WHERE expires IS NOT NULL;
  CREATE TABLE IF NOT EXISTS past (id TEXT PRIMARY KEY, made INTEGER NOT NULL, gone INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS past_gone ON past (gone);
  CREATE TABLE IF NOT EXISTS ready (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);`;

/** For so long caches are likely to keep what a view showed that is no more, in milliseconds. */
const CACHED_MS = 30 * 86_400_000;

const ALIVE = "(expires IS NULL OR expires > ?)";

/** The views kept, by id and in the order they were made; those that expired are not there. */
export class ViewsStore {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();
  readonly #now: () => number;

  private constructor(db: Database, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** @param file path of the SQLite file, made where there is none, or ":memory:" */
  static async open(file: string, now: () => number = () => Date.now()): Promise<ViewsStore> {
    return new ViewsStore(await openDatabase(file), now);
  }

  /**
   * Keeps a view. One that is kept already stays as it is and lives on for the longer of both times.
   * @param ttl milliseconds to live; `undefined`: for ever
   * @returns whether it is new
   */
  put(view: NewView, definition: ViewDefinition, ttl: number | undefined): boolean {
    const now = this.#now();
    this.purge();
    const expires = ttl === undefined ? null : now + ttl;
    const { changes } = this.#sql(
      `INSERT INTO views (id, about, definition, created, expires, used) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ).run(view.id, JSON.stringify(view), JSON.stringify(definition), now, expires, now);
    if (changes > 0) return true;
    const longer = "CASE WHEN expires IS NULL OR ? IS NULL THEN NULL ELSE max(expires, ?) END";
    this.#sql(`UPDATE views SET expires = ${longer}, used = ? WHERE id = ?`).run(
      expires,
      expires,
      now,
      view.id,
    );
    return false;
  }

  /** `undefined`: never kept, deleted or expired. */
  get(id: string): StoredView | undefined {
    const row = this.#sql(`SELECT * FROM views WHERE id = ? AND ${ALIVE}`).get(id, this.#now()) as
      | Row
      | undefined;
    return row && storedView(row);
  }

  definition(id: string): ViewDefinition | undefined {
    const row = this.#sql(`SELECT definition FROM views WHERE id = ? AND ${ALIVE}`).get(id, this.#now());
    return row === undefined ? undefined : JSON.parse((row as { definition: string }).definition);
  }

  /** The version that the latest view of a collection was made of. */
  latestVersion(collection: string): string | undefined {
    const row = this.#sql(
      `SELECT json_extract(about, '$.version') AS version FROM views
       WHERE json_extract(about, '$.collection') = ? ORDER BY seq DESC LIMIT 1`,
    ).get(collection);
    return (row as { version: string } | undefined)?.version;
  }

  /**
   * Views in the order they were made.
   * @param after the `next` of the page before
   * @returns `next` is `undefined` on the last page
   */
  list(limit: number, after = 0): { views: StoredView[]; next: number | undefined } {
    const rows = this.#sql(
      `SELECT seq, about, created, expires, used FROM views WHERE seq > ? AND ${ALIVE} ORDER BY seq LIMIT ?`,
    ).all(after, this.#now(), limit + 1) as Row[];
    const page = rows.slice(0, limit);
    return { views: page.map(storedView), next: rows.length > limit ? page.at(-1)!.seq : undefined };
  }

  /** @returns whether there was one */
  delete(id: string): boolean {
    this.#note("id = ?", id);
    return this.#sql(`DELETE FROM views WHERE id = ? AND ${ALIVE}`).run(id, this.#now()).changes > 0;
  }

  /**
   * Notes that a view was read.
   * @returns whether it is still kept: another process may have deleted it
   */
  touch(id: string): boolean {
    return this.#sql("UPDATE views SET used = ? WHERE id = ?").run(this.#now(), id).changes > 0;
  }

  count(): number {
    const row = this.#sql(`SELECT count(*) AS n FROM views WHERE ${ALIVE}`).get(this.#now());
    return (row as { n: number }).n;
  }

  /** Removes what has expired. */
  purge(): void {
    const now = this.#now();
    this.#note("expires <= ?", now);
    this.#sql("DELETE FROM views WHERE expires <= ?").run(now);
    this.#sql("DELETE FROM past WHERE gone <= ?").run(now - CACHED_MS);
  }

  /** When a view was first made that expired or was deleted: caches may still hold what it showed. */
  pastMade(id: string): number | undefined {
    this.purge();
    const row = this.#sql("SELECT made FROM past WHERE id = ?").get(id);
    return (row as { made: number } | undefined)?.made;
  }

  #note(which: string, value: string | number): void {
    const made = "json_extract(definition, '$.made')";
    this.#sql(
      `INSERT INTO past (id, made, gone) SELECT id, ${made}, ? FROM views WHERE ${which} AND ${made} IS NOT NULL
       ON CONFLICT (id) DO UPDATE SET gone = excluded.gone`,
    ).run(this.#now(), value);
  }

  /** Throws where the file cannot be written. */
  check(): void {
    this.#sql("INSERT INTO ready VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at").run(
      this.#now(),
    );
  }

  close(): void {
    this.#db.close();
  }

  #sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

function storedView({ about, created, expires, used }: Row): StoredView {
  return { ...(JSON.parse(about) as NewView), created, expires, used };
}

/** libsql is native and optional, so it is loaded only here. */
async function openDatabase(file: string): Promise<Database> {
  let Libsql: new (file: string) => Database;
  try {
    Libsql = (await import("libsql")).default as unknown as new (file: string) => Database;
  } catch (cause) {
    throw new ZarrsiftError("internal", "Keeping views needs the package libsql: npm install libsql", {
      cause,
    });
  }
  try {
    const db = new Libsql(file);
    db.exec(SCHEMA);
    return db;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ZarrsiftError(
      "internal",
      `Cannot open the views' file ${file}: ${why}; --state-dir names another place for it`,
      { cause },
    );
  }
}
