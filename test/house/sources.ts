import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root directory. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage", ".bench"]);

/** Paths of the files below `folder` that belong to the project, relative to the root, sorted. */
export function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder)).sort();
  return entries.flatMap((name) => {
    const path = join(folder, name);
    if (NOT_OURS.has(name) || name.startsWith(".venv")) return [];
    return statSync(join(ROOT, path)).isDirectory() ? filesBelow(path) : [path];
  });
}

/** A file's text, by its path relative to the root. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** What a source file imports, types in passing (`import("x").Y`) left out: paths relative to the root for our own files, specifiers for packages. */
export function importsOf(path: string): string[] {
  const code = textOf(path)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
  const fixed = code.matchAll(/^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm);
  const late = code.matchAll(/(?<!typeof )\bimport\(\s*["']([^"']+)["']\s*\)(?!\.[A-Z])/g);
  const specifiers = [...fixed, ...late].map((match) => match[1]!);
  return specifiers.map((name) => (name.startsWith(".") ? normalize(join(dirname(path), name)) : name));
}

/**
 * The part of the house a source file is in: its folder below src, or its own name right in src.
 * src/index.ts, the public names, is "main": src/index/ holds the indexes.
 */
export function partOf(path: string): string {
  const [first, ...rest] = relative("src", path).split("/");
  const name = rest.length > 0 ? first! : first!.replace(/\.ts$/, "");
  return path === join("src", "index.ts") ? "main" : name;
}
