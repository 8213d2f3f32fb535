import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

/** The machine a result comes from: without it the numbers say little. */
export function machine(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load: Number(loadavg()[0]!.toFixed(1)),
  };
}

/** A table in Markdown. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/**
 * Writes `bench/results/DATE-NAME.md` and `.json`, and shows the Markdown.
 *
 * @param body Markdown below the heading and the machine
 * @param data everything measured
 */
export function writeResult(name: string, body: string, data: object): void {
  const date = new Date().toISOString().slice(0, 10);
  const folder = join("bench", "results");
  const facts = machine();
  const line = Object.entries(facts).map(([key, value]) => `${key} ${value}`);
  const page = `# ${name}, ${date}\n\n${line.join(", ")}\n\n${body}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${date}-${name}.md`), page);
  writeFileSync(
    join(folder, `${date}-${name}.json`),
    `${JSON.stringify({ date, machine: facts, ...data }, null, 1)}\n`,
  );
  process.stdout.write(`\n${page}`);
}
