import type { Arguments, OptionSpecs } from "./args.ts";

/** One word of the command line: `zarrsift NAME …`. */
export interface Command {
  /** What `--help` prints: usage, options, examples. */
  help: string;
  options: OptionSpecs;
  run(args: Arguments): Promise<void>;
}
