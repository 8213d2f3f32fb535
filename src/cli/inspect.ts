import type { Description, IndexDescription } from "../describe.ts";
import { open } from "../index.ts";
import { UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { grid } from "./grid.ts";
import { indexesAt } from "./indexes.ts";
import { log, print, terminalWidth } from "./output.ts";
import { startProgress } from "./progress.ts";
import { READ_HELP, READ_OPTIONS, readingOf } from "./reading.ts";
import { INDEXES_HELP, SOURCE_HELP, VERIFY_HELP } from "./source.ts";

const KINDS = { rtree: "R-tree", btree: "B+tree", category: "category" } as const;

const help = `usage: zarrsift inspect SOURCE [--json]

Shows what a source holds: rows, version, where its granules are, and the columns of its meta group.
${SOURCE_HELP}

  --json               the same as JSON
  ${INDEXES_HELP}
  ${VERIFY_HELP}
  ${READ_HELP}

examples:
  zarrsift inspect granules.zarr
  zarrsift inspect https://example.org/data/granules.zarr --json
  zarrsift inspect repository.icechunk#v1
`;

/** `zarrsift inspect SOURCE`: what a source holds. */
export const inspect: Command = {
  help,
  options: {
    json: { type: "boolean" },
    indexes: { type: "string" },
    "verify-indexes": { type: "boolean" },
    ...READ_OPTIONS,
  },
  async run(args) {
    const [source, ...surplus] = args.positionals;
    if (source === undefined) throw new UsageError("inspect needs a SOURCE");
    if (surplus.length > 0) throw new UsageError(`inspect takes one SOURCE, not also ${surplus.join(" ")}`);
    const progress = startProgress(`reading ${source}`);
    try {
      const reading = { ...readingOf(args), log };
      const collection = await open(source, {
        indexes: await indexesAt(args.text("indexes"), source, reading),
        verifyIndexes: args.flag("verify-indexes"),
        ...reading,
      });
      const description = await collection.describe();
      progress.done();
      await print(args.flag("json") ? json(description) : page(description, terminalWidth()));
      await collection.close();
    } finally {
      progress.done();
    }
  },
};

function json(description: Description): string {
  return `${JSON.stringify(description, null, 2)}\n`;
}

/** The description as a page of text. */
function page(description: Description, width: number | undefined): string {
  const { extent, layout, rows: all } = description;
  const facts = [
    ["source", description.source],
    ["rows", description.rows.toLocaleString("en")],
    ["version", description.version],
    ["granules", granules(layout)],
    ...(extent.bbox ? [["extent", extent.bbox.join(", ")]] : []),
    ...(extent.time ? [["time", extent.time.join(" … ")]] : []),
    ...unknown(description),
  ];
  const top = facts.map(([name, value]) => `${name!.padEnd(10)}${value}\n`).join("");
  const rows = description.columns.map(({ name, type, chunk_rows, role, index }) => {
    return [name, type, chunk_rows.toLocaleString("en"), role ?? "", index ? indexText(index, all) : ""];
  });
  const unusable = description.unusable.map(({ name, why }) => `not a column: ${name}: ${why}\n`).join("");
  const heads = ["column", "type", "rows a chunk", "role", "index"];
  return `${top}\n${grid(heads, rows, [false, false, true, false, false], width)}${unusable}`;
}

/** Which of the extents cannot be told, and why. */
function unknown({ extent, columns }: Description): string[][] {
  if (extent.why === undefined) return [];
  const places = extent.bbox === null && columns.some(({ role }) => role === "geometry");
  return [[places ? "extent" : "time", `unknown: ${extent.why}`]];
}

/** `B+tree, verified`, and how many rows of all it holds where some came later. */
function indexText({ kind, state, rows }: IndexDescription, all: number): string {
  const part = rows < all ? `, ${rows.toLocaleString("en")} rows` : "";
  return `${KINDS[kind]}, ${state}${part}`;
}

function granules(layout: Description["layout"]): string {
  if (layout === null) return "nothing says where they are, so there can be no views";
  const where = layout.location === undefined ? "" : `, located by ${layout.location}`;
  return `${layout.kind}${where}${layout.variables?.length ? `: ${layout.variables.join(", ")}` : ""}`;
}
