import { type ParseArgsConfig, parseArgs } from "node:util";

/** A command line that makes no sense: exit status 2. `message` is shown as it is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The options a command knows, as `parseArgs` takes them. */
export type OptionSpecs = NonNullable<ParseArgsConfig["options"]>;

/** What a command was given. */
export interface Arguments {
  positionals: string[];
  /** The value of a text option; its last one where it was given twice. */
  text(name: string): string | undefined;
  /** All values of a text option that may be given several times. */
  texts(name: string): string[];
  flag(name: string): boolean;
}

/**
 * Reads the words after a command's name.
 *
 * @throws UsageError for an unknown option, with the nearest known one, and for a missing or surplus value
 */
export function parse(words: readonly string[], options: OptionSpecs): Arguments {
  const config: OptionSpecs = { ...options, help: { type: "boolean", short: "h" } };
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: config, allowPositionals: true });
    return {
      positionals,
      text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
      texts: (name) => {
        const value = values[name];
        return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
      },
      flag: (name) => values[name] === true,
    };
  } catch (error) {
    throw new UsageError(explained(error, Object.keys(config)));
  }
}

function explained(error: unknown, known: readonly string[]): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const named = /'(--?[^' ]+)/.exec(message)?.[1] ?? "";
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION")
    return `unknown option ${named}${suggest(named, known, "--")}`;
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE")
    return message.replace(/^Option/, "option").split("\n")[0]!;
  throw error;
}

/** `; did you mean X?` for the known name nearest to `word`, or nothing where none is near. */
export function suggest(word: string, known: readonly string[], prefix = ""): string {
  const bare = word.replace(/^-+/, "").toLowerCase();
  const ranked = known.map((name) => ({ name, distance: distance(bare, name) }));
  const nearest = ranked.sort((a, b) => a.distance - b.distance)[0];
  const near = nearest !== undefined && nearest.distance <= Math.max(1, Math.floor(bare.length / 3));
  return near ? `; did you mean ${prefix}${nearest.name}?` : "";
}

/** Levenshtein distance: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(changed, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

/** The value of option `name` as a whole number from `least` to `most`. */
export function integer(args: Arguments, name: string, least: number, most: number): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} ${text}: expected a whole number from ${least} to ${most}`);
}

/** The value of option `name`, one of `choices`; the first of them where it was not given. */
export function choice<T extends string>(args: Arguments, name: string, choices: readonly [T, ...T[]]): T {
  const text = args.text(name) ?? choices[0];
  const found = choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} ${text}: expected ${choices.join(", ")}${suggest(text, choices)}`);
}

/** `--absent 404,403`: HTTP statuses that a source answers for what is not there. */
export function absentStatuses(args: Arguments): number[] | undefined {
  const text = args.text("absent");
  if (text === undefined) return undefined;
  const statuses = text.split(",").map((part) => (/^4\d\d$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (!statuses.some(Number.isNaN)) return statuses;
  throw new UsageError(
    `--absent ${text}: expected HTTP statuses of 400 to 499 with commas between, such as 404,403`,
  );
}
