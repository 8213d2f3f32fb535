/**
 * Reads FlatBuffers (https://flatbuffers.dev/internals) by the numbers of fields in their schema. Every place that is
 * read is checked by `DataView`, so that damaged bytes throw a RangeError.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  /** The root table of a buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Whether an optional field is there. */
  has(field: number): boolean {
    return this.#place(field) !== undefined;
  }

  /** Makes an optional field one that is left out, in the buffer itself. */
  drop(field: number): void {
    const slot = this.#slot(field);
    if (slot !== undefined) this.#view.setUint16(slot, 0, true);
  }

  /** An integer of 1, 4 or 8 bytes; 0 where it is left out. */
  number(field: number, bytes: 1 | 4 | 8): number {
    const at = this.#place(field);
    if (at === undefined) return 0;
    if (bytes === 8) return Number(this.#view.getBigUint64(at, true));
    return bytes === 4 ? this.#view.getUint32(at, true) : this.#view.getUint8(at);
  }

  /** A struct that holds nothing but `length` bytes. */
  struct(field: number, length: number): Uint8Array | undefined {
    const at = this.#place(field);
    return at === undefined ? undefined : this.#bytes(at, length);
  }

  string(field: number): string | undefined {
    const vector = this.#vector(field);
    return vector && new TextDecoder().decode(this.#bytes(vector.start, vector.length));
  }

  table(field: number): FlatTable | undefined {
    const at = this.#place(field);
    return at === undefined ? undefined : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  /** How many items a vector has; 0 where it is left out. */
  count(field: number): number {
    return this.#vector(field)?.length ?? 0;
  }

  /** A table of a vector of tables. */
  item(field: number, index: number): FlatTable {
    const at = this.#vector(field)!.start + 4 * index;
    return new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  /** The value at `index` of a vector of uint32, or of structs of them taken as one row. */
  uint32(field: number, index: number): number {
    return this.#view.getUint32(this.#vector(field)!.start + 4 * index, true);
  }

  #vector(field: number): { start: number; length: number } | undefined {
    const at = this.#place(field);
    if (at === undefined) return undefined;
    const start = at + this.#view.getUint32(at, true);
    return { start: start + 4, length: this.#view.getUint32(start, true) };
  }

  #place(field: number): number | undefined {
    const slot = this.#slot(field);
    const offset = slot === undefined ? 0 : this.#view.getUint16(slot, true);
    return offset === 0 ? undefined : this.#at + offset;
  }

  /** Where the table's layout says where a field is. */
  #slot(field: number): number | undefined {
    const vtable = this.#at - this.#view.getInt32(this.#at, true);
    const slot = 4 + 2 * field;
    return slot + 2 > this.#view.getUint16(vtable, true) ? undefined : vtable + slot;
  }

  #bytes(at: number, length: number): Uint8Array {
    if (at + length > this.#view.byteLength) throw new RangeError("a field reaches beyond the end");
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length);
  }
}
