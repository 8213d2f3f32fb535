import { ZarrsiftError } from "../errors.ts";
import { writeGeoJson } from "../geometry/geojson.ts";
import { parseWkb } from "../geometry/wkb-read.ts";
import { parseWkt } from "../geometry/wkt-read.ts";
import type { CellValue } from "../table/vector.ts";
import { cellAt } from "../table/vector.ts";
import { objectWriter } from "./json.ts";
import { type RowBatch, type RowColumn, type RowLimits, textPieces } from "./rows.ts";

/**
 * The answer as a GeoJSON FeatureCollection (RFC 7946): the first geometry column is the geometry, the other columns
 * are properties, spelt as in JSON rows; so is `idx`, selected or not. Longitudes and the turn of rings are as stored.
 *
 * @param limits with `idx: false` where rows are not those of the table
 * @throws ZarrsiftError `bad_parameter` at once where no column is geometry; `too_large`, `bad_geometry` while it is read
 */
export function geojsonText(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  { idx: withIdx = true, ...limits }: RowLimits & { idx?: boolean } = {},
): AsyncGenerator<string> {
  const place = columns.findIndex(({ type }) => type.kind === "geometry");
  if (place < 0) throw noGeometry(columns);
  const others = columns.filter((_, c) => c !== place);
  const adds = withIdx && others.every(({ name }) => name !== "idx");
  const format = {
    head: '{"type":"FeatureCollection","features":[',
    rows(batch: RowBatch, count: number) {
      const geometry = batch.vectors[place]!;
      const vectors = batch.vectors.filter((_, c) => c !== place);
      const properties = objectWriter(others, { length: batch.length, vectors });
      const { idx } = batch;
      const lead = (i: number) => (adds && idx ? `"idx":${idx[i]}` : "");
      return (i: number) =>
        `${count + i === 0 ? "\n" : ",\n"}{"type":"Feature","geometry":${geometryText(cellAt(geometry, i))},` +
        `"properties":${withLead(lead(i), properties(i))}}`;
    },
    tail: () => "\n]}\n",
  };
  return textPieces(batches, format, limits);
}

function withLead(member: string, object: string): string {
  if (member === "") return object;
  return object === "{}" ? `{${member}}` : `{${member},${object.slice(1)}`;
}

function geometryText(value: CellValue): string {
  if (value === null) return "null";
  const geometry = value instanceof Uint8Array ? parseWkb(value) : parseWkt(String(value));
  return JSON.stringify(writeGeoJson(geometry));
}

function noGeometry(columns: readonly RowColumn[]): ZarrsiftError {
  const names = columns.map(({ name }) => name).join(", ");
  return new ZarrsiftError(
    "bad_parameter",
    `format geojson needs a geometry column in the answer, which has: ${names}; select one, or ask for json`,
  );
}
