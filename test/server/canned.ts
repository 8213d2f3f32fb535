import { ZarrsiftError } from "../../src/errors.ts";
import type { Batch } from "../../src/plan/api.ts";
import { vectorOf } from "../../src/plan/eval/vectors.ts";
import type { Collection, View } from "../../src/server/contract.ts";
import { INT64, type SqlType } from "../../src/table/types.ts";
import type { Resource, ViewDefinition } from "../../src/view/api.ts";

/** What a key of the canned view leads to. */
export type Canned = { kind: "metadata" | "chunk"; bytes?: Uint8Array; fail?: ZarrsiftError; hang?: boolean };

/** Counts what was asked of it. */
export class CannedCollection {
  name: string;
  rows = 10;
  reads: string[] = [];
  views = 0;
  running = 0;
  aborted = 0;
  /** Milliseconds each query takes. */
  queryMs = 0;
  failWith: ZarrsiftError | undefined;
  batches: number[][] = [[0, 1, 2]];
  lateError: Error | undefined;
  /** The source is no longer what the views were made from. */
  changed = false;
  /** WKT in place of idx, one a row, in one batch. */
  geometry: (string | null)[] | undefined;
  /** Options of the last query, without its signal. */
  asked: object | undefined;
  keys: Record<string, Canned>;

  constructor(name: string, keys: Record<string, Canned>) {
    this.name = name;
    this.keys = keys;
  }

  async version() {
    return "v1";
  }

  recall() {}

  async describe() {
    return { name: this.name, rows: this.rows, version: "v1", columns: [], layout: { kind: "granules" } };
  }

  async query(_sql: string, { signal, ...asked }: { signal?: AbortSignal } = {}) {
    this.asked = asked;
    await this.#work(signal);
    const self = this;
    if (this.geometry) return shapes(this.geometry, this.lateError);
    return {
      columns: [{ name: "idx", type: INT64, column: "idx", named: true, text: "idx" }],
      version: async () => "v1",
      rowQuery: true,
      async *batches(): AsyncGenerator<Batch> {
        for (const part of self.batches) {
          const idx = Float64Array.from(part);
          yield {
            length: idx.length,
            idx,
            vectors: [{ kind: "number", type: INT64, length: idx.length, values: idx, nulls: undefined }],
          };
        }
        if (self.lateError) throw self.lateError;
      },
    };
  }

  async explain() {
    return { plan: [{ step: "scan" }], version: "v1" };
  }

  async view(
    what: string | readonly (number | bigint)[],
    options: { signal?: AbortSignal; allowNow?: boolean } = {},
  ) {
    this.views++;
    await this.#work(options.signal);
    if (options.allowNow === false && String(what).includes("now()")) {
      throw new ZarrsiftError("sql_unsupported", "now() in a path");
    }
    return this.#view(String(what));
  }

  async restore(definition: ViewDefinition) {
    return this.#view(definition.sql!);
  }

  async #work(signal?: AbortSignal) {
    if (this.failWith) throw this.failWith;
    this.running++;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, this.queryMs);
        signal?.addEventListener("abort", () => {
          this.aborted++;
          clearTimeout(timer);
          reject(signal.reason);
        });
      });
    } finally {
      this.running--;
    }
  }

  #view(sql: string): View {
    const id = Buffer.from(sql).toString("hex").padEnd(32, "0").slice(-32);
    const definition: ViewDefinition = {
      id,
      collection: this.name,
      version: "v1",
      sql,
      layout: "granules",
      idx: "",
      count: 3,
      skipped: 0,
    };
    const face = {
      current: () => !this.changed,
      resource: async (key: string) => this.#resource(key),
      children: async (path: string) => {
        const prefix = path === "" ? "" : `${path}/`;
        const below = Object.keys(this.keys).filter((key) => key.startsWith(prefix) && !key.includes("/c/"));
        if (below.length === 0) return undefined;
        const names = below.map((key) => key.slice(prefix.length).replace(/\/.*/, "/"));
        return [...new Set(names)];
      },
    };
    return {
      id,
      count: 3,
      skipped: 0,
      fields: ["idx"],
      layout: "granules",
      version: "v1",
      definition,
      face: () => face,
      spotCheck: async () => {},
    } as unknown as View;
  }

  #resource(key: string): Resource | undefined {
    if (this.changed) throw new ZarrsiftError("source_changed", "The source has changed");
    const canned = this.keys[key];
    if (!canned) return undefined;
    const { bytes, fail, hang } = canned;
    const read = async (signal: AbortSignal | undefined) => {
      this.reads.push(key);
      if (fail) throw fail;
      if (hang) {
        await new Promise((_, reject) =>
          signal?.addEventListener("abort", () => {
            this.aborted++;
            reject(signal.reason);
          }),
        );
      }
      return bytes;
    };
    return {
      kind: canned.kind,
      etag: `"${key}"`,
      contentType: canned.kind === "metadata" ? "application/json" : "application/octet-stream",
      size: async () => {
        if (fail) throw fail;
        return bytes?.length;
      },
      read: (options) => read(options?.signal),
      place: async () => "here",
      readRange: async (offset, length, options) =>
        (await read(options?.signal))?.subarray(offset, offset + length),
    };
  }

  as(): Collection {
    return this as unknown as Collection;
  }
}

function shapes(cells: (string | null)[], lateError: Error | undefined) {
  const type: SqlType = { kind: "geometry", encoding: "wkt" };
  return {
    columns: [{ name: "shape", type, column: "shape", named: true, text: "shape" }],
    version: async () => "v1",
    rowQuery: true,
    async *batches(): AsyncGenerator<Batch> {
      const idx = Float64Array.from(cells, (_, i) => i);
      yield { length: cells.length, idx, vectors: [vectorOf(type, cells)] };
      if (lateError) throw lateError;
    },
  };
}
