import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** One wrk run: requests and megabytes (10^6) a second, and the slowest answer of 99 in 100. */
export interface Load {
  rps: number;
  mb_s: number;
  p99_ms: number;
}

/**
 * Asks for `keys` below `base` in turn for three seconds, over ten connections of one thread.
 *
 * @throws Error when any answer was not a success: such numbers mean nothing
 */
export async function load(base: string, keys: readonly string[], scratch: string): Promise<Load> {
  const { origin, pathname } = new URL(base);
  const file = resolve(join(scratch, "paths.txt"));
  writeFileSync(file, keys.map((key) => `${pathname}${key}\n`).join(""));
  const script = ["-s", "bench/peers/rotate.lua", origin, "--", file];
  const { stdout } = await execute("wrk", ["-t1", "-c10", "-d3s", "--latency", ...script]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${base} failed under load:\n${stdout}`);
  const rps = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)![1]);
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)([KMG]?)B/.exec(stdout)!;
  const [, slow, scale] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout)!;
  const powers = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  const scales = { us: 1e-3, ms: 1, s: 1e3 };
  return {
    rps,
    mb_s: (Number(amount) * powers[unit as keyof typeof powers]) / 1e6,
    p99_ms: Number(slow) * scales[scale as keyof typeof scales],
  };
}

/** Whether nginx and wrk can be run; as root on Debian they are installed where they are missing. */
export async function haveTools(): Promise<boolean> {
  const present = () =>
    execute("sh", ["-c", "command -v nginx && command -v wrk"])
      .then(() => true)
      .catch(() => false);
  if (await present()) return true;
  if (process.getuid?.() !== 0) return false;
  process.stderr.write("installing nginx-light and wrk\n");
  await execute("apt-get", ["install", "-y", "nginx-light", "wrk"]).catch(() => undefined);
  return present();
}
