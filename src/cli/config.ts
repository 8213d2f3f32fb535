import { readFileSync } from "node:fs";
import { DEFAULT_LIMITS, type Limits } from "../server/options.ts";
import { suggest, UsageError } from "./args.ts";

/** What a configuration file of `serve` may say. */
export interface Config {
  limits: Partial<Limits>;
}

/**
 * Reads `--config FILE`: JSON, `{"limits": {"rows": 1000000, …}}`, names as in `Limits`.
 *
 * @throws UsageError naming the file and what in it is wrong
 */
export function readConfig(file: string): Config {
  const config = object(file, parsed(file), "the file");
  refuseOthers(file, config, ["limits"]);
  const limits = object(file, config.limits ?? {}, "limits");
  refuseOthers(file, limits, Object.keys(DEFAULT_LIMITS));
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && (value as number) >= 0) continue;
    throw new UsageError(`${file}: limits.${name} must be a whole number, not ${JSON.stringify(value)}`);
  }
  return { limits: limits as Partial<Limits> };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const yaml = /\.ya?ml$/.test(file) ? "; YAML is not supported yet, JSON is" : "";
    throw new UsageError(`${file}: ${(error as Error).message}${yaml}`);
  }
}

function object(file: string, value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(`${file}: ${what} must be a JSON object`);
}

function refuseOthers(file: string, given: object, known: readonly string[]): void {
  const other = Object.keys(given).find((key) => !known.includes(key));
  if (other === undefined) return;
  throw new UsageError(
    `${file}: unknown setting ${other}${suggest(other, known)} (known: ${known.join(", ")})`,
  );
}
