import { vectorOf } from "../../src/plan/eval/vectors.ts";
import type { ReadOptions } from "../../src/store/store.ts";
import type { Column, Roles, Table } from "../../src/table/table.ts";
import type { SqlType } from "../../src/table/types.ts";
import { type CellValue, cellAt, type Vector } from "../../src/table/vector.ts";

export interface ColumnData {
  type: SqlType;
  cells: CellValue[];
  chunkRows: number;
}

/** A table in memory that counts which chunks are read. */
export class MemoryTable implements Table {
  readonly name = "granules";
  readonly rows: number;
  readonly columns: Map<string, Column>;
  readonly roles: Roles;
  /** `date/3` for each read, repeats included. */
  readonly reads: string[] = [];
  /** Milliseconds each read takes. */
  delay = 0;
  /** Reads under way together, at most so far; only those that take time count. */
  mostAtOnce = 0;
  #atOnce = 0;

  constructor(data: Record<string, ColumnData>, roles: Roles = {}) {
    this.rows = Object.values(data)[0]?.cells.length ?? 0;
    this.roles = roles;
    this.columns = new Map(Object.entries(data).map(([name, column]) => [name, this.#column(name, column)]));
  }

  /** Reads of one column. */
  readsOf(name: string): string[] {
    return this.reads.filter((read) => read.startsWith(`${name}/`));
  }

  #column(name: string, { type, cells, chunkRows }: ColumnData): Column {
    const made = new Map<number, Vector>();
    const read = async (chunk: number, { signal, traffic }: ReadOptions = {}): Promise<Vector> => {
      this.reads.push(`${name}/${chunk}`);
      if (traffic) {
        traffic.requests++;
        traffic.bytes += 10;
      }
      if (this.delay) await this.#wait();
      signal?.throwIfAborted();
      const vector =
        made.get(chunk) ?? vectorOf(type, cells.slice(chunk * chunkRows, (chunk + 1) * chunkRows));
      made.set(chunk, vector);
      return vector;
    };
    const bytesPerRow = type.kind === "geometry" ? 100 : type.kind === "string" ? 24 : 8;
    return { name, type, chunkRows, nullable: cells.includes(null), bytesPerRow, read };
  }

  async #wait(): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    await new Promise((resolve) => setTimeout(resolve, this.delay));
    this.#atOnce--;
  }
}

/** Small, fast, seeded: mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** All of an answer: idx and cells by output column. */
export async function answer(query: {
  columns: { name: string }[];
  run(): AsyncIterable<{ length: number; idx: Float64Array; vectors: Vector[] }>;
}): Promise<{ idx: number[]; rows: CellValue[][] }> {
  const idx: number[] = [];
  const rows: CellValue[][] = [];
  for await (const batch of query.run()) {
    idx.push(...batch.idx);
    for (let i = 0; i < batch.length; i++) rows.push(batch.vectors.map((vector) => cellAt(vector, i)));
  }
  return { idx, rows };
}
