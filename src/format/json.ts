import { typeName } from "../table/types.ts";
import { jsonCell } from "./cell.ts";
import { cells, type RowBatch, type RowColumn, type RowLimits, textPieces } from "./rows.ts";

/** Text kept back at first, so that short answers fail whole: 1 MiB. */
const HOLD = 2 ** 20;

/**
 * The answer as one JSON document: `{"columns":[{"name","type"}],"rows":[{…}],"count":n,"version":"…"}`, in pieces.
 * @param version what to ask for it, when the rows are written
 * @throws ZarrsiftError `too_large`, before the first piece where that is known by then
 */
export function jsonText(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  version: string | (() => Promise<string>),
  limits: RowLimits = {},
): AsyncGenerator<string> {
  const described = columns.map(({ name, type }) => ({ name, type: typeName(type) }));
  const format = {
    head: `{"columns":${JSON.stringify(described)},"rows":[`,
    rows(batch: RowBatch, count: number) {
      const object = objectWriter(columns, batch);
      return (i: number) => (count + i === 0 ? "\n" : ",\n") + object(i);
    },
    tail: async (count: number) => {
      const named = typeof version === "string" ? version : await version();
      return `\n],"count":${count},"version":${JSON.stringify(named)}}\n`;
    },
  };
  return textPieces(batches, format, limits, HOLD);
}

/** Row `i` of a batch as a JSON object. */
export function objectWriter(columns: readonly RowColumn[], batch: RowBatch): (i: number) => string {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  const write = cells(batch, jsonCell);
  return (i) => {
    let text = "{";
    for (let c = 0; c < keys.length; c++) text += `${c > 0 ? "," : ""}${keys[c]}:${write[c]!(i)}`;
    return `${text}}`;
  };
}
