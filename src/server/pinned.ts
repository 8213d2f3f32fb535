import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { View } from "./contract.ts";
import { type LiveView, liveView } from "./live-views.ts";
import { VIEW_WEIGHT } from "./options.ts";
import { SharedWork } from "./shared.ts";

interface Pin {
  live: LiveView;
  used: number;
  weight: number;
  /** The source changed under it: it fails until it is forgotten, and asking for it does not keep it. */
  failed: boolean;
}

/**
 * Answers of queries in the path. Each is found once and kept for as long as it is in use, so that no client reads
 * half of one result and half of another. One that is in use is never dropped: where there is no room left, new
 * queries are turned away.
 */
export class PinnedQueries {
  readonly #pins = new Map<string, Pin>();
  readonly #resolving = new SharedWork<Pin>();
  readonly #budget: number;
  readonly #idleMs: number;
  #weight = 0;

  constructor(budget: number, idleMs: number) {
    this.#budget = budget;
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#pins.size;
  }

  /** A query that is answered already. */
  peek(key: string): LiveView | undefined {
    const pin = this.#pins.get(key);
    if (!pin) return undefined;
    if (this.#idle(pin)) {
      this.#drop(key, pin);
      return undefined;
    }
    if (!pin.failed) pin.used = Date.now();
    return pin.live;
  }

  /** The answer at `key`, found by `find` where it is not kept. A failure is not kept. */
  async get(
    key: string,
    find: (signal: AbortSignal) => Promise<View>,
    signal: AbortSignal,
  ): Promise<LiveView> {
    const live = this.peek(key);
    if (live) return live;
    return (await this.#resolving.run(key, (shared) => this.#pin(key, find, shared), signal)).live;
  }

  /** To be told of errors of reads below a query. */
  noteFailure(key: string, error: unknown): void {
    const pin = this.#pins.get(key);
    if (pin && isZarrsiftError(error, "source_changed")) pin.failed = true;
  }

  /** Forgets what nobody has asked for in a while. */
  sweep(): void {
    for (const [key, pin] of this.#pins) if (this.#idle(pin)) this.#drop(key, pin);
  }

  async #pin(key: string, find: (signal: AbortSignal) => Promise<View>, signal: AbortSignal): Promise<Pin> {
    this.#checkRoom(VIEW_WEIGHT);
    const view = await find(signal);
    const weight = view.count + VIEW_WEIGHT;
    this.#checkRoom(weight);
    const pin = { live: liveView(view, null), used: Date.now(), weight, failed: false };
    this.#pins.set(key, pin);
    this.#weight += weight;
    return pin;
  }

  #checkRoom(weight: number): void {
    if (this.#weight + weight > this.#budget) this.sweep();
    if (this.#weight + weight <= this.#budget) return;
    throw new ZarrsiftError(
      "busy",
      "Too many queries in paths are in use to keep another one; POST it to /collections/{name}/views, or try again later.",
    );
  }

  #idle(pin: Pin): boolean {
    return Date.now() - pin.used > this.#idleMs;
  }

  #drop(key: string, pin: Pin): void {
    this.#pins.delete(key);
    this.#weight -= pin.weight;
  }
}
