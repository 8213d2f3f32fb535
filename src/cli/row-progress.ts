/** A line on the terminal about rows being worked on: how many, how fast, and how long it will still take. */

const EVERY_MS = 200;

/** Rows of columns, one after the other, each of about as much work as the others. Shows nothing where stderr is no terminal. */
export class RowProgress {
  readonly #started = performance.now();
  #shownAt = 0;
  #shown = false;

  /**
   * @param what is worked on, and in which `step`
   * @param done columns before it, of `total`
   */
  show(what: string, step: string, rows: number, rowsTotal: number, done: number, total: number): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    const seconds = (now - this.#started) / 1000;
    const part = rowsTotal === 0 ? 1 : rows / rowsTotal;
    process.stderr.write(
      `\r\x1b[K${progressLine(what, step, rows, rowsTotal, (done + part) / total, done, seconds)}`,
    );
  }

  /** Takes the line away. */
  done(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
    this.#shown = false;
  }
}

/** `date (2 of 8): read 4,000,000 of 10,000,000 rows, 1.2 million rows/s, 12 s left`. */
export function progressLine(
  what: string,
  step: string,
  rows: number,
  rowsTotal: number,
  part: number,
  columnsDone: number,
  seconds: number,
): string {
  const text = `${what}: ${step} ${rows.toLocaleString("en")} of ${rowsTotal.toLocaleString("en")} rows`;
  if (seconds < 1 || part <= 0) return text;
  const rate = (columnsDone * rowsTotal + rows) / seconds;
  const left = Math.ceil((seconds * (1 - part)) / part);
  return `${text}, ${rateText(rate)} rows/s, ${left} s left`;
}

function rateText(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(1)} million` : Math.round(rate).toLocaleString("en");
}
