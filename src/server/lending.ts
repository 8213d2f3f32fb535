/** Lengths are rounded up to a power of two, from this one on, so that other chunks of about that length fit too. */
const SMALLEST = 2 ** 14;

/**
 * Memory for chunks that are read, sent and forgotten. Thrown away each time, it would cost more than reading does: the
 * system clears memory before it gives it out, and the garbage collector looks through the whole heap to get it back.
 */
export class Lending {
  readonly #free = new Map<number, ArrayBuffer[]>();
  readonly #budget: number;
  #size = 0;

  /** @param budget bytes that may lie here unused */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /**
   * Memory for one value.
   * @param keeps whether the reader is going to keep a value of this length: it then gets memory for good
   */
  loan(keeps: (length: number) => boolean = () => false): Loan {
    return new Loan(this, keeps);
  }

  /** For `Loan`. */
  take(length: number): ArrayBuffer {
    const size = length > this.#budget ? length : Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(length)));
    const free = this.#free.get(size)?.pop();
    if (!free) return Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer;
    this.#size -= size;
    return free;
  }

  /** For `Loan`. */
  giveBack(memory: ArrayBuffer): void {
    const size = memory.byteLength;
    if (this.#size + size > this.#budget) return;
    const free = this.#free.get(size);
    if (free) free.push(memory);
    else this.#free.set(size, [memory]);
    this.#size += size;
  }
}

/** What one reader has of a `Lending`. Not given back, it is the garbage collector's, as other memory is. */
export class Loan {
  readonly #from: Lending;
  readonly #keeps: (length: number) => boolean;
  #taken: ArrayBuffer | undefined;

  constructor(from: Lending, keeps: (length: number) => boolean) {
    this.#from = from;
    this.#keeps = keeps;
  }

  /** Room for a value to be read into. */
  readonly memory = (length: number): Uint8Array => {
    if (this.#keeps(length)) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    this.#taken = this.#from.take(length);
    return new Uint8Array(this.#taken, 0, length);
  };

  /** Whether `bytes` are in what was lent. */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#taken;
  }

  /** To be called once, when nobody reads or writes it any more. */
  readonly giveBack = (): void => this.#from.giveBack(this.#taken!);
}
