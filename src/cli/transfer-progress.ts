/** A line on the terminal about things being handed over: how many, how fast, and how long it will still take. */
import { bytesText } from "../format/bytes.ts";

/** Between two lines: on a terminal, where one takes the place of the other, and in a log. */
const EVERY_MS = process.stderr.isTTY ? 200 : 60_000;

/** What has been done so far. */
export interface Transferred {
  /** Share of the whole, 0 to 1. */
  part: number;
  /** Things done, such as chunks. */
  count: number;
  bytes?: number;
  /** Things that were there already: passing them over takes no time worth counting. */
  kept?: number;
}

/** A line that changes; in a log, where stderr is no terminal, one a minute. */
export class TransferProgress {
  readonly #what: string;
  readonly #things: string;
  readonly #started = performance.now();
  /** Since when, and from what share on, things are really done. */
  #since = { time: this.#started, part: 0, kept: 0 };
  #shownAt = this.#started;
  #shown = false;

  /** @param things what is counted, such as `chunks` */
  constructor(what: string, things: string) {
    this.#what = what;
    this.#things = things;
  }

  show(done: Transferred): void {
    const now = performance.now();
    const { kept = 0, part } = done;
    if (kept > this.#since.kept) this.#since = { time: now, part, kept };
    if (now - this.#shownAt < EVERY_MS) return;
    this.#shownAt = now;
    const { time, part: before } = this.#since;
    const line = transferLine(this.#what, this.#things, done, (now - time) / 1000, before);
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    this.#shown = process.stderr.isTTY;
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

/**
 * `copying: 45 %, 12,345 chunks, 1.3 GB, 81.0 MB/s, 20 s left`.
 * @param seconds it took from the share `before` on
 */
export function transferLine(
  what: string,
  things: string,
  { part, count, bytes }: Transferred,
  seconds: number,
  before = 0,
): string {
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
  const text = `${what}: ${Math.floor(part * 100)} %, ${count.toLocaleString("en")} ${things}${size}`;
  if (seconds < 1 || part <= before) return text;
  const perSecond =
    bytes === undefined
      ? `${Math.round(count / seconds).toLocaleString("en")} ${things}/s`
      : `${bytesText(bytes / seconds)}/s`;
  return `${text}, ${perSecond}, ${timeText((seconds * (1 - part)) / (part - before))} left`;
}

/** `3 granules`. */
export function granulesText(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "granule" : "granules"}`;
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.ceil(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}
