import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type ErrorCode, ZarrsiftError } from "../errors.ts";
import type { BySide } from "../index/api.ts";
import type { RemoteProduct } from "../index/build/api.ts";
import type { ProductOptions } from "../index/build/product.ts";
import type { Reading } from "./reading.ts";

/** What a thread is given at its start. */
export interface ThreadData {
  source: string;
  /** Directory that is written. */
  target: string;
  /** How the source is read. */
  reading: Reading;
  cacheBytes: number;
}

export interface ThreadTask {
  column: string;
  wanted: boolean;
  covered: boolean;
  unchanged: number;
  coverings: BySide<string>[];
}

export type ThreadAnswer =
  | { kind: "rows"; rows: number }
  | ({ kind: "product" } & RemoteProduct)
  | {
      kind: "error";
      message: string;
      code: ErrorCode | undefined;
      details: Record<string, string | number | boolean | null>;
    };

/** More take more memory than they save time. */
const MOST_THREADS = 2;

/** Threads that columns are read, sorted and written in, so that the cores of a machine share the work. */
export class IndexThreads {
  readonly count = Math.min(MOST_THREADS, availableParallelism());
  readonly #data: ThreadData;
  readonly #idle: Worker[] = [];

  constructor(data: ThreadData) {
    this.#data = data;
  }

  /** What `produceColumn` does, in a thread. */
  async produce(
    column: string,
    { wanted, covered = false, unchanged = 0, coverings = [], onRows, signal }: ProductOptions,
  ): Promise<RemoteProduct> {
    signal?.throwIfAborted();
    const thread = this.#idle.pop() ?? this.#start();
    try {
      const names = coverings.map((four) => four.map(({ name }) => name) as unknown as BySide<string>);
      const task = { column, wanted, covered, unchanged, coverings: names };
      const product = await answerOf(thread, task, onRows, signal);
      this.#idle.push(thread);
      return product;
    } catch (error) {
      // Whatever it was at, it writes no more.
      await thread.terminate();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }

  #start(): Worker {
    const options = { workerData: this.#data };
    return new Worker(new URL("./index-thread.js", import.meta.url), options);
  }
}

function answerOf(
  thread: Worker,
  task: ThreadTask,
  onRows: ProductOptions["onRows"],
  signal: AbortSignal | undefined,
): Promise<RemoteProduct> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const onMessage = (answer: ThreadAnswer) => {
      if (answer.kind === "rows") return onRows?.(answer.rows);
      thread.off("message", onMessage).off("error", reject);
      signal?.removeEventListener("abort", onAbort);
      if (answer.kind === "product") return resolve({ product: answer.product, parts: answer.parts });
      const { code, message, details } = answer;
      reject(code ? new ZarrsiftError(code, message, { details }) : new Error(message));
    };
    thread.on("message", onMessage).on("error", reject);
    thread.postMessage(task);
  });
}
