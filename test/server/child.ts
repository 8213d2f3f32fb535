import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PREAMBLE = `
  import { createServer } from "vite";
  const vite = await createServer({
    configFile: false, logLevel: "error", appType: "custom",
    server: { middlewareMode: true, ws: false, watch: null }, optimizeDeps: { noDiscovery: true },
  });
  const load = (path) => vite.ssrLoadModule(path);
`;

/**
 * Runs `code` in a Node process of its own, where `await load("/src/….ts")` gives a source module.
 * @returns the process and its first output, for which it waits
 */
export async function runChild(code: string): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PREAMBLE + code], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await new Promise<string>((resolve, reject) => {
    child.stdout!.once("data", (data) => resolve(String(data)));
    child.once("exit", (status) => reject(new Error(`the child ended with ${status}`)));
  });
  return { child, output };
}

/** Ends a child with a signal and waits until it is gone. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}
