import { runDemo } from "../demo/index.ts";
import { integer, UsageError } from "./args.ts";
import type { Command } from "./command.ts";

const help = `usage: zarrsift demo [--host HOST] [--port PORT]

Makes a small, realistic collection of satellite granules, runs a query on it, serves it, and shows how to
read the answer from Python and JavaScript. Ctrl-C ends it.

  --host HOST   where to listen (default 127.0.0.1)
  --port PORT   first port to try (default 8000; the next free one is taken)

examples:
  zarrsift demo
  zarrsift demo --port 9000
`;

/** `zarrsift demo`: the whole line on made-up data. */
export const demo: Command = {
  help,
  options: { host: { type: "string" }, port: { type: "string" } },
  async run(args) {
    if (args.positionals.length > 0) throw new UsageError(`demo takes no ${args.positionals[0]}`);
    await runDemo({ host: args.text("host") ?? "127.0.0.1", port: integer(args, "port", 0, 65535) ?? 8000 });
  },
};
