import { isZarrsiftError, messageOf, ZarrsiftError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { Lock } from "../../store/writable.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { BySide } from "../api.ts";
import { keyTypeOf } from "../keys.ts";
import { newIndexCache } from "../pages.ts";
import { truthRecord } from "../records.ts";
import type { BuildOptions, BuildProgress, ColumnReport } from "./api.ts";
import { type Change, changeOf } from "./changes.ts";
import type { IndexKind } from "./choose.ts";
import { coveringColumns } from "./covering-renew.ts";
import { encodeTruthNow } from "./encode.ts";
import { buildId } from "./nodes.ts";
import { type ColumnProduct, produceColumn } from "./product.ts";
import type { IndexTarget } from "./target.ts";

const MOST_ROWS = 2 ** 32 - 1;

export interface WorkOptions extends BuildOptions {
  /** Columns that may hold the boxes of a geometry column. */
  coverings: (geometry: string) => readonly BySide<MetaColumn>[];
  /** Columns that a tree is taken to answer for. */
  covered: ReadonlySet<string>;
}

/** What is done for one column. */
export class ColumnWork {
  readonly #column: MetaColumn;
  readonly #source: Store;
  readonly #target: IndexTarget;
  readonly #lock: Lock | undefined;
  readonly #options: WorkOptions;
  readonly #place: () => readonly [number, number];
  readonly #wanted: boolean;
  #bytes = 0;

  constructor(
    column: MetaColumn,
    source: Store,
    target: IndexTarget,
    lock: Lock | undefined,
    options: WorkOptions,
    place: () => readonly [number, number],
  ) {
    this.#column = column;
    this.#source = source;
    this.#target = target;
    this.#lock = lock;
    this.#options = options;
    this.#place = place;
    this.#wanted = options.columns?.includes(column.name) ?? false;
  }

  async run(): Promise<ColumnReport> {
    const started = performance.now();
    const finish = (kind: IndexKind | undefined, what: ColumnReport["what"], why?: string): ColumnReport => {
      const ms = Math.round(performance.now() - started);
      const { name, rows } = this.#column;
      const covering = coveringColumns(this.#records.indexes[name]);
      return { column: name, kind, what, why, rows, bytes: this.#bytes, ms, covering };
    };
    const refusal = await this.#refusal();
    if (refusal !== undefined) {
      if (this.#wanted) throw new ZarrsiftError("bad_request", refusal);
      return finish(undefined, "left", refusal);
    }
    this.#progress("compare", 0);
    let change = await this.#change();
    if (change?.what === "same" && change.compared) change = await this.#renewTruth();
    if (change?.what === "same") return finish(this.#kindNow, "unchanged", change.why);
    try {
      const kind = await this.#build(change);
      if (!change) return finish(kind, "built");
      return finish(kind, change.what === "grown" ? "extended" : "rebuilt", change.why);
    } catch (error) {
      const unreadable = isZarrsiftError(error, "bad_geometry") || isZarrsiftError(error, "meta_invalid");
      if (this.#wanted || !unreadable) throw error;
      return finish(undefined, "left", messageOf(error));
    }
  }

  /** Why the column cannot be indexed, if it cannot. */
  async #refusal(): Promise<string | undefined> {
    const { name, type, rows } = this.#column;
    if (name.startsWith("_zarrsift")) return `Column ${name} cannot be indexed: its name is reserved`;
    if (type.kind !== "geometry" && keyTypeOf(type) === undefined)
      return `Column ${name} cannot be indexed: its type is ${type.kind}`;
    if (rows > MOST_ROWS) return `Column ${name} cannot be indexed: it has more than ${MOST_ROWS} rows`;
    const there = await this.#target.hierarchy?.node(`indexes/${name}`, this.#options).catch(() => undefined);
    if (there?.nodeType !== "array" || type.kind === "geometry" || this.#records.indexes[name])
      return undefined;
    return `Column ${name} cannot be indexed: /indexes/${name} is an array of another program`;
  }

  get #records() {
    return this.#target.records;
  }

  get #kindNow(): IndexKind | undefined {
    return this.#records.indexes[this.#column.name]?.kind as IndexKind | undefined;
  }

  /** What became of the column since it was indexed; `undefined`: it was not, or not as is wanted now. */
  async #change() {
    const { name } = this.#column;
    const truth = this.#records.truth[name];
    if (!truth || !this.#records.zones[name] || !this.#target.hierarchy) return undefined;
    if (this.#wanted && !this.#records.indexes[name]) return undefined;
    const { store, hierarchy } = this.#target;
    const reads = { store, hierarchy, cache: newIndexCache(2 ** 20) };
    return changeOf(this.#column, truth, reads, this.#source, this.#options);
  }

  /**
   * In a copy, where times are others, each chunk is read to see that it is the same: the times are noted, so that they
   * tell the next time.
   */
  async #renewTruth(): Promise<Change> {
    const { name } = this.#column;
    const old = this.#records.truth[name]!.sums as number[];
    const renewed = await encodeTruthNow(this.#column, this.#source, buildId(), this.#options);
    const [sizes, crcs, stamps] = renewed.record.sums as number[];
    if (sizes !== old[0] || crcs !== old[1])
      return { what: "changed", why: "it changed while it was compared", compared: true };
    if (stamps !== old[2]) {
      await this.#target.write(renewed, this.#options);
      await this.#lock?.ensure();
      await this.#target.publish(this.#options, name, () => {
        this.#records.truth[name] = renewed.record;
      });
    }
    return { what: "same", why: "its bytes are the same", compared: true };
  }

  async #build(change: Change | undefined): Promise<IndexKind | undefined> {
    const { name, rows } = this.#column;
    let read = 0;
    const onRows = (more: number) => {
      read += more;
      this.#progress(read < rows ? "read" : "write", read);
    };
    const { kind, index, zones, truth } = await this.#produce(this.#unchanged(change), onRows);
    const { records } = this.#target;
    await this.#lock?.ensure();
    await this.#target.publish(this.#options, name, () => {
      records.truth[name] = truth;
      records.zones[name] = zones;
      if (index) records.indexes[name] = index;
      else delete records.indexes[name];
    });
    return kind;
  }

  /** Chunks that need not be read again: sizes and times say that they are what was indexed. */
  #unchanged(change: Change | undefined): number {
    if (change?.what !== "grown" || change.compared) return 0;
    const { rows, chunkRows } = truthRecord(this.#records.truth[this.#column.name]!);
    return Math.floor(rows / chunkRows);
  }

  /** Here, or where the caller wants it done; but for trees of v2, which are seen while they are written. */
  async #produce(unchanged: number, onRows: (rows: number) => void): Promise<ColumnProduct> {
    const { produceElsewhere, signal, coverings, covered } = this.#options;
    const { name, type } = this.#column;
    const candidates = type.kind === "geometry" ? coverings(name) : [];
    const common = { signal, wanted: this.#wanted, covered: covered.has(name), unchanged };
    const given = { ...common, coverings: candidates, onRows };
    if (!produceElsewhere || (this.#target.format === 2 && type.kind === "geometry")) {
      const product = await produceColumn(this.#column, this.#source, this.#target, given);
      this.#bytes = product.bytes;
      return product;
    }
    const { product, parts } = await produceElsewhere(name, given);
    this.#target.adopt(parts);
    this.#bytes = product.bytes;
    return product;
  }

  #progress(step: BuildProgress["step"], rows: number): void {
    const [columns, columnsTotal] = this.#place();
    const { name, rows: rowsTotal } = this.#column;
    this.#options.onProgress?.({ column: name, step, rows, rowsTotal, columns, columnsTotal });
  }
}
