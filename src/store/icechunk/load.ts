/**
 * Loads @earthmover/icechunk: its native library, or the WASM build where that does not load.
 *
 * The WASM build needs care in Node: each of its worker threads prints a warning, and its runtime keeps a handle
 * that holds the process open for as long as a storage lives. Both come from three names it takes while it loads.
 */
import { messageOf, ZarrsiftError } from "../../errors.ts";

/** The module as its own types say. */
export type Icechunk = typeof import("@earthmover/icechunk");

const PACKAGE = "@earthmover/icechunk";
/** What napi-rs puts on a binding that runs in WASM. */
const WASM_MARK = Symbol.for("napi.rs.wasi.dispose");

let told = false;

/**
 * @param log gets one line, once a process, where the WASM build has taken over
 * @throws ZarrsiftError `icechunk_unavailable` with the command that helps
 */
export async function loadIcechunk(log: (line: string) => void = () => {}): Promise<Icechunk> {
  const icechunk = inNode() ? loadInNode() : await loadInPage();
  if (WASM_MARK in icechunk && inNode() && !told) {
    told = true;
    log(
      "icechunk: its native library does not load on this system; its WASM build, which is slower, takes over",
    );
  }
  return icechunk;
}

function inNode(): boolean {
  return typeof process === "object" && typeof process.getBuiltinModule === "function";
}

/** Not a word that bundlers follow: most pages do without, and where it is not installed they would fail. */
async function loadInPage(): Promise<Icechunk> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE);
  } catch (cause) {
    const what = `Icechunk repositories cannot be read here: ${PACKAGE} is not in this page's import map, or does not load`;
    throw new ZarrsiftError("icechunk_unavailable", `${what}. zarrsift serve can serve the repository`, {
      cause,
    });
  }
}

/** At one go, so that what is exchanged meanwhile is seen by this module alone. */
function loadInNode(): Icechunk {
  const here = import.meta.url;
  const require = process.getBuiltinModule("node:module").createRequire(here);
  const restore = [quietMain(), quietWorkers(), unheldChannels()];
  try {
    return require(PACKAGE);
  } catch (error) {
    return unavailable(error);
  } finally {
    for (const undo of restore) undo();
  }
}

/** Node's warning that WASI is experimental, and no other, is left out. */
function quietMain(): () => void {
  const emit = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: []) => {
    if (!String(warning).startsWith("WASI is an experimental feature")) emit.call(process, warning, ...rest);
  }) as typeof emit;
  return () => {
    process.emitWarning = emit;
  };
}

/** The same in its threads, which run nothing but WASM. */
function quietWorkers(): () => void {
  const threads = process.getBuiltinModule("node:worker_threads");
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: import("node:worker_threads").WorkerOptions = {}) {
      super(file, {
        ...options,
        execArgv: [...(options.execArgv ?? []), "--disable-warning=ExperimentalWarning"],
      });
    }
  };
  return () => {
    threads.Worker = Worker;
  };
}

/** Its runtime refs a port while a callback exists, which is always; `whileBusy` keeps the process for real work. */
function unheldChannels(): () => void {
  const { MessageChannel } = globalThis;
  globalThis.MessageChannel = class extends MessageChannel {
    constructor() {
      super();
      Object.assign(this.port1, { ref: () => {} });
    }
  };
  return () => {
    globalThis.MessageChannel = MessageChannel;
  };
}

let busy = 0;
let holding: ReturnType<typeof setInterval> | undefined;

/** Keeps the process until `work` ends: threads of the WASM build do not. */
export async function whileBusy<T>(work: Promise<T>): Promise<T> {
  if (busy++ === 0) holding = setInterval(() => {}, 2 ** 30);
  try {
    return await work;
  } finally {
    if (--busy === 0) clearInterval(holding);
  }
}

function unavailable(error: unknown): never {
  const missing = messageOf(error).includes(`'${PACKAGE}'`);
  const why = missing
    ? `${PACKAGE} is not installed`
    : `the native library of ${PACKAGE} does not load here, and its WASM build is not installed`;
  const command = missing ? `npm install ${PACKAGE}` : `node ${scriptPath()}`;
  throw new ZarrsiftError(
    "icechunk_unavailable",
    `Icechunk repositories cannot be read: ${why}. Run: ${command}`,
    {
      cause: error,
    },
  );
}

/** In this package, which its modules find by name, wherever a build has put them. */
function scriptPath(): string {
  const { createRequire } = process.getBuiltinModule("node:module");
  const here = import.meta.url;
  const root = createRequire(here).resolve("zarrsift/package.json");
  return process.getBuiltinModule("node:path").join(root, "../scripts/icechunk-wasm.mjs");
}
