import { abortable } from "./abort.ts";
import type { ReadOptions } from "./store/store.ts";

/** A check that takes longer than this is not made every time. */
const CHEAP_MS = 25;
/** Then the next one waits 20 times as long as the last took. */
const PAUSE = 20;

/** When this turn of the event loop is over, where that can be known: whoever asks until then shares a check. */
const turnEnds =
  typeof setImmediate === "function" ? () => new Promise<void>((go) => setImmediate(go)) : undefined;

/** The last time that what is checked was known to be as it was. */
export interface LastCheck {
  /** When that began, by `performance.now()`. */
  began: number;
  /** Milliseconds that it took. */
  took: number;
}

export interface CheckOptions extends ReadOptions {
  /** A check that began then, by `performance.now()`, will do; default: now. */
  since?: number;
  /** Believe no older one, however slow checking is; default false. */
  sure?: boolean;
  /** Believe the last good one for a while, however quick checking is; default false. */
  relaxed?: boolean;
}

/**
 * Finds out, again and again, whether something has changed.
 *
 * Who asks hears of a check that began after asking; those who ask in one turn of the event loop share one. Where
 * checking is slow, as over HTTP, or who asks is relaxed, the last good check is believed for a while. A check that
 * cannot be made, because something cannot be read, finds no change. Once there is a change there is no way back.
 */
export class Checks {
  readonly #differs: (() => Promise<boolean>) | undefined;
  #last: LastCheck;
  #checking: Promise<void> | undefined;
  #changed = false;

  /** @param differs `undefined`: it cannot change */
  constructor(differs: (() => Promise<boolean>) | undefined, last: LastCheck) {
    this.#differs = differs;
    this.#last = last;
  }

  /** Whether no change was found; looks again in the background where that is long ago. */
  unchanged(): boolean {
    if (this.#differs && !this.#changed && performance.now() > this.#restsUntil(CHEAP_MS))
      void this.#check(this.#differs);
    return !this.#changed;
  }

  async changed({ signal, ...how }: CheckOptions = {}): Promise<boolean> {
    await abortable(this.#checkedSince(how), signal);
    return this.#changed;
  }

  /** @param least milliseconds that a check is taken to have lasted at least */
  #restsUntil(least: number): number {
    return this.#last.began + Math.max(least, this.#last.took) * PAUSE;
  }

  async #checkedSince({ since: moment = performance.now(), sure, relaxed }: CheckOptions): Promise<void> {
    if (!this.#differs || this.#changed) return;
    const mayRest = !sure && (relaxed || this.#last.took > CHEAP_MS);
    if (mayRest && moment < this.#restsUntil(0)) return;
    while (!this.#changed && this.#last.began < moment) await this.#check(this.#differs);
  }

  #check(differs: () => Promise<boolean>): Promise<void> {
    this.#checking ??= this.#look(differs).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #look(differs: () => Promise<boolean>): Promise<void> {
    await turnEnds?.();
    const began = performance.now();
    this.#changed = await differs().catch(() => false);
    this.#last = { began, took: performance.now() - began };
  }
}
