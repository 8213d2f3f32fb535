/** Python scripts without a start of Python each: they run in forks of one that has imported zarr and xarray. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const FORKS = fileURLToPath(new URL("forks.py", import.meta.url));

interface Outcome {
  id: number;
  /** Below 0 where a signal ended it. */
  status: number;
  stdout: string;
  stderr: string;
}

/** One interpreter's forks. Its process ends with this one, when its stdin closes. */
class Forks {
  readonly #child: ChildProcess;
  readonly #waiting: ((outcome: Outcome | Error) => void)[] = [];

  constructor(python: string) {
    const env = { ...process.env, OPENBLAS_NUM_THREADS: "1" }; // no threads that a fork would lack
    this.#child = spawn(python, [FORKS], { stdio: ["pipe", "pipe", "inherit"], env });
    const fail = (error: Error) => {
      for (const settle of this.#waiting) settle(error);
    };
    this.#child.on("error", fail);
    this.#child.on("close", (status) => fail(new Error(`${FORKS} ended with status ${status}`)));
    createInterface(this.#child.stdout!).on("line", (line) => {
      const outcome = JSON.parse(line) as Outcome;
      this.#waiting[outcome.id]!(outcome);
    });
    // They keep no worker of vitest's from its end.
    for (const one of [this.#child, this.#child.stdin, this.#child.stdout])
      (one as { unref?(): void }).unref!();
  }

  async run(argv: readonly string[]): Promise<Outcome> {
    const outcome = await new Promise<Outcome | Error>((resolve) => {
      const id = this.#waiting.push(resolve) - 1;
      this.#child.stdin!.write(`${JSON.stringify({ id, argv })}\n`);
    });
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }
}

const forks = new Map<string, Forks>();

/**
 * What `python script …args` writes to stdout.
 *
 * @throws {Error} with the end of what it wrote to stderr, when its status is not 0
 */
export async function runScript(python: string, script: string, ...args: string[]): Promise<string> {
  const one = forks.get(python) ?? new Forks(python);
  forks.set(python, one);
  const { status, stdout, stderr } = await one.run([script, ...args]);
  if (status !== 0) throw new Error(`${script} failed (status ${status}): ${stderr.slice(-3000)}`);
  return stdout;
}
