/** Zstandard in other threads, for Node before 22.15: later ones bring a decoder that has threads of its own. */

/** The parts of node:worker_threads and node:os that are used. */
interface Thread {
  on(event: "message", listener: (answer: Answer) => void): void;
  on(event: "error" | "exit", listener: () => void): void;
  postMessage(message: { id: number; bytes: Uint8Array }): void;
  ref(): void;
  unref(): void;
}
interface NodeThreads {
  Worker: new (
    source: string,
    options: { eval: true; execArgv: string[]; workerData: { zstd: string } },
  ) => Thread;
}
type Answer = { ready: true } | { id: number; out?: Uint8Array; error?: string };

/** Large chunks that are decoded right here before threads are worth their start. */
const FIRST_HERE = 2;
const MOST_THREADS = 4;

const SOURCE = `
const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
const codec = import(workerData.zstd).then(({ default: Zstd }) => Zstd.fromConfig({ id: "zstd" }));
parentPort.on("message", async ({ id, bytes }) => {
  try {
    const out = await (await codec).decode(bytes);
    parentPort.postMessage({ id, out }, [out.buffer]);
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) });
  }
});
codec.then(() => parentPort.postMessage({ ready: true }));
`;

/** One thread, and the chunks that it was given. */
class Decoder {
  ready = false;
  readonly waiting = new Map<number, (out: Uint8Array | Error | undefined) => void>();
  readonly #thread: Thread;
  #last = 0;

  constructor(thread: Thread, onEnd: (decoder: Decoder) => void) {
    this.#thread = thread;
    thread.on("message", (answer) => {
      if ("ready" in answer) this.ready = true;
      else this.#settle(answer);
    });
    const end = () => {
      onEnd(this);
      for (const settle of this.waiting.values()) settle(undefined);
      this.waiting.clear();
    };
    thread.on("error", end);
    thread.on("exit", end);
    // The process ends when nothing waits for the thread; listeners hold it, so this comes after them.
    thread.unref();
  }

  decode(bytes: Uint8Array): Promise<Uint8Array | Error | undefined> {
    const id = this.#last++;
    return new Promise((resolve) => {
      if (this.waiting.size === 0) this.#thread.ref();
      this.waiting.set(id, resolve);
      this.#thread.postMessage({ id, bytes });
    });
  }

  #settle(answer: { id: number; out?: Uint8Array; error?: string }): void {
    const settle = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (this.waiting.size === 0) this.#thread.unref();
    // Only what the bytes are to blame for is final; a thread that is out of memory may be followed by one that is not.
    const damaged = answer.error?.includes("zstd codec error");
    settle?.(answer.out ?? (damaged ? new Error(answer.error) : undefined));
  }
}

const decoders = new Set<Decoder>();
let asked = 0;

/**
 * `bytes` decoded by another thread.
 *
 * @returns `undefined` where there is none (yet): decode it here
 * @throws Error for damaged input
 */
export async function decodeInThread(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (asked++ === FIRST_HERE) start();
  let idlest: Decoder | undefined;
  for (const decoder of decoders) {
    if (decoder.ready && (!idlest || decoder.waiting.size < idlest.waiting.size)) idlest = decoder;
  }
  const out = await idlest?.decode(bytes);
  if (out instanceof Error) throw out;
  return out;
}

function start(): void {
  const builtin = typeof process === "undefined" ? undefined : process.getBuiltinModule;
  const threads = builtin?.("node:worker_threads") as unknown as NodeThreads | undefined;
  const count = Math.min(MOST_THREADS, builtin?.("node:os").availableParallelism() ?? 1);
  if (!threads || count < 2) return;
  try {
    const workerData = { zstd: import.meta.resolve("numcodecs/zstd") };
    for (let i = 0; i < count; i++) {
      const thread = new threads.Worker(SOURCE, { eval: true, execArgv: [], workerData });
      decoders.add(new Decoder(thread, (decoder) => decoders.delete(decoder)));
    }
  } catch {
    // Without threads, or a way to name the module, everything is decoded here.
  }
}
