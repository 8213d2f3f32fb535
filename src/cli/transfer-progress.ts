/** A line on the terminal about things being handed over: how many, how fast, and how long it will still take. */

const EVERY_MS = 200;

/** What has been done so far. */
export interface Transferred {
  /** Share of the whole, 0 to 1. */
  part: number;
  /** Things done, such as chunks. */
  count: number;
  bytes?: number;
}

/** Shows nothing where stderr is no terminal. */
export class TransferProgress {
  readonly #what: string;
  readonly #things: string;
  readonly #started = performance.now();
  #shownAt = 0;
  #shown = false;

  /** @param things what is counted, such as `chunks` */
  constructor(what: string, things: string) {
    this.#what = what;
    this.#things = things;
  }

  show(done: Transferred): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    this.#shown = true;
    const line = transferLine(this.#what, this.#things, done, (now - this.#started) / 1000);
    process.stderr.write(`\r\x1b[K${line}`);
  }

  /** Takes the line away. */
  done(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
    this.#shown = false;
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }
}

/** `copying: 45 %, 12,345 chunks, 1.3 GB, 81.0 MB/s, 20 s left`. */
export function transferLine(
  what: string,
  things: string,
  { part, count, bytes }: Transferred,
  seconds: number,
): string {
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
  const text = `${what}: ${Math.floor(part * 100)} %, ${count.toLocaleString("en")} ${things}${size}`;
  if (seconds < 1 || part <= 0) return text;
  const perSecond =
    bytes === undefined
      ? `${Math.round(count / seconds).toLocaleString("en")} ${things}/s`
      : `${bytesText(bytes / seconds)}/s`;
  return `${text}, ${perSecond}, ${timeText((seconds * (1 - part)) / part)} left`;
}

/** `1.3 GB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  return `${(bytes / 1e3 ** (power + 1)).toFixed(1)} ${units[power]}`;
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.ceil(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}
