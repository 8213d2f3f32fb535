#!/usr/bin/env node
import { type OptionSpecs, parse, suggest, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { endOnClosedPipe, print } from "./output.ts";
import { report } from "./report.ts";

interface Entry {
  name: string;
  summary: string;
  /** Commands are loaded when they are used: `--help` need not wait for the server's modules. */
  load(): Promise<Command>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: "inspect",
    summary: "show the rows, columns and granules of a source",
    load: async () => (await import("./inspect.ts")).inspect,
  },
  {
    name: "query",
    summary: "run SQL on the meta group of a source",
    load: async () => (await import("./query.ts")).query,
  },
  {
    name: "serve",
    summary: "serve sources over HTTP: queries, and views that Zarr clients read",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "index",
    summary: "index the columns of a source, in the source itself or beside it",
    load: async () => (await import("./index-command.ts")).index,
  },
  {
    name: "export",
    summary: "hand a view over: as references to the source's chunks, or as a copy",
    load: async () => (await import("./export-command.ts")).exportView,
  },
  {
    name: "demo",
    summary: "make a small collection, query it, serve it, show how to read it",
    load: async () => (await import("./demo.ts")).demo,
  },
];

const HELP = `usage: zarrsift COMMAND …

Find granules with SQL, open just those as Zarr.

commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(9)}${summary}\n`).join("")}
  zarrsift COMMAND --help says more, with examples; zarrsift --version says which this is.

examples:
  zarrsift demo
  zarrsift query granules.zarr "SELECT idx, date FROM meta WHERE cloud_cover < 10 LIMIT 5"
  zarrsift serve granules.zarr

exit status: 0 done, 1 failed, 2 used wrongly. ZARRSIFT_DEBUG=1 shows stack traces.
`;

/** Does what the words say. */
async function main(words: readonly string[]): Promise<void> {
  const [first, ...rest] = words;
  if (first === undefined) throw new UsageError("a COMMAND is needed");
  if (first === "--help" || first === "-h" || first === "help") return print(HELP);
  if (first === "--version" || first === "-V")
    return print(`${(await import("../server/version.ts")).VERSION}\n`);
  const entry = COMMANDS.find(({ name }) => name === first);
  if (entry === undefined) throw new UsageError(unknown(first));
  const command = await entry.load();
  options = command.options;
  const args = parse(rest, command.options);
  return args.flag("help") ? print(command.help) : command.run(args);
}

function unknown(word: string): string {
  const names = COMMANDS.map(({ name }) => name);
  const kind = word.startsWith("-") ? "option" : "command";
  const known = kind === "option" ? ["help", "version"] : names;
  return `unknown ${kind} ${word}${suggest(word, known, kind === "option" ? "--" : "")}`;
}

endOnClosedPipe();
const words = process.argv.slice(2);
/** Those of the command, once it is known. */
let options: OptionSpecs | undefined;
// Nothing is half done when reading stops; `serve` and `demo` put a shutdown of their own in its place.
process.once("SIGINT", () => process.exit(130));
try {
  await main(words);
  process.exit(0); // whatever a library left running (a WASM worker, an idle socket) is of no more use
} catch (error) {
  process.exit(report(error, COMMANDS.find(({ name }) => name === words[0])?.name, options));
}
