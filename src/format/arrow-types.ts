/** SQL types as Arrow fields. */
import type * as Arrow from "apache-arrow";
import type { SqlType, TimeUnit } from "../table/types.ts";
import type { RowColumn } from "./rows.ts";

/** The library; it is loaded by the first answer that needs it. */
export type ArrowLibrary = typeof Arrow;

/**
 * What geometry is in, longitude before latitude.
 * See the GeoArrow specification, "Extension metadata".
 */
const CRS = JSON.stringify({ crs: "OGC:CRS84", crs_type: "authority_code" });

/** One field a column, all nullable. Geometry is `geoarrow.wkb`, WKT too: few readers know `geoarrow.wkt`. */
export function arrowSchema(arrow: ArrowLibrary, columns: readonly RowColumn[]): Arrow.Schema {
  const fields = columns.map(
    ({ name, type }) => new arrow.Field(name, arrowType(arrow, type), true, extensionOf(type)),
  );
  return new arrow.Schema(fields);
}

function extensionOf(type: SqlType): Map<string, string> | undefined {
  if (type.kind !== "geometry") return undefined;
  return new Map([
    ["ARROW:extension:name", "geoarrow.wkb"],
    ["ARROW:extension:metadata", CRS],
  ]);
}

function arrowType(arrow: ArrowLibrary, type: SqlType): Arrow.DataType {
  switch (type.kind) {
    case "bool":
      return new arrow.Bool();
    case "int":
      return new arrow.Int(type.signed, type.bits);
    case "float":
      return type.bits === 64
        ? new arrow.Float64()
        : type.bits === 32
          ? new arrow.Float32()
          : new arrow.Float16();
    case "string":
      return new arrow.Utf8();
    case "bytes":
    case "geometry":
      return new arrow.Binary();
    case "timestamp":
      return new arrow.Timestamp(unitOf(arrow, type.unit), "UTC");
    case "duration":
      return new arrow.Duration(unitOf(arrow, type.unit));
    case "null":
      return new arrow.Null();
  }
}

function unitOf(arrow: ArrowLibrary, unit: TimeUnit): Arrow.TimeUnit {
  const { SECOND, MILLISECOND, MICROSECOND, NANOSECOND } = arrow.TimeUnit;
  return { s: SECOND, ms: MILLISECOND, us: MICROSECOND, ns: NANOSECOND }[unit];
}
