import { mkdirSync, readdirSync } from "node:fs";
import { runDemo } from "../demo/index.ts";
import { messageOf } from "../errors.ts";
import { integer, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { endingAt } from "./lifetime.ts";

const help = `usage: zarrsift demo [--host HOST] [--port PORT] [--keep DIR]

Makes a small, realistic collection of satellite granules, runs a query on it, serves it, and shows how to
read the answer from Python and JavaScript. Ctrl-C ends it.

  --host HOST   where to listen (default 127.0.0.1)
  --port PORT   first port to try (default 8000; the next free one is taken)
  --keep DIR    make the collection in DIR, which must be empty or not there, and leave it there at the end;
                default: a temporary directory, removed at the end

examples:
  zarrsift demo
  zarrsift demo --port 9000
  zarrsift demo --keep demo.zarr
`;

/** `zarrsift demo`: the whole line on made-up data. */
export const demo: Command = {
  help,
  options: { host: { type: "string" }, port: { type: "string" }, keep: { type: "string" } },
  async run(args) {
    if (args.positionals.length > 0) throw new UsageError(`demo takes no ${args.positionals[0]}`);
    const directory = keptIn(args.text("keep"));
    await runDemo({
      host: args.text("host") ?? "127.0.0.1",
      port: integer(args, "port", 0, 65535) ?? 8000,
      signal: endingAt("SIGINT", "SIGTERM", "SIGHUP"),
      ...(directory !== undefined && { directory }),
    });
  },
};

/** @throws UsageError for a directory that holds something, or a place where none can be */
function keptIn(directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined;
  try {
    mkdirSync(directory, { recursive: true });
    const [first] = readdirSync(directory);
    if (first === undefined) return directory;
    throw new UsageError(`--keep ${directory}: it is not empty (it holds ${first}); name another directory`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--keep ${directory}: ${messageOf(error)}`);
  }
}
