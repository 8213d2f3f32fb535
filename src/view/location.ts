/** How a source keeps its granules. */
import type { MetaColumn } from "../table/column.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";

/** A column whose values lead to groups or arrays. */
export interface ByColumn {
  kind: "column";
  column: MetaColumn;
  /** Absolute path, `{id}` standing for the value; the value itself is the path where it is just `{id}`. */
  template: string;
}

/** Arrays whose first axis is the rows, by path. */
export interface Stacked {
  kind: "stacked";
  arrays: Map<string, ArrayMeta>;
}

/** A view's stacks, one for each encoding of granules. */
export interface Stacks {
  kind: "stacks";
  stacks: StackPlace[];
  /** Each row's stack, and its position along that stack's first axis. */
  stackOf: Int32Array;
  position: Float64Array;
}

export interface StackPlace {
  /** Path of its group. */
  path: string;
  dimension: string;
  /** Names of its arrays that were made of fields. */
  coordinates: string[];
  /** Fields written into its arrays' attributes. */
  fields: string[];
  /** Arrays along the dimension, by path below the group. */
  arrays: Map<string, ArrayMeta>;
}

/** A view's granules end to end along the first axis of arrays. */
export interface EndToEnd {
  kind: "concatenated";
  /** The dimension they lie along. */
  along: string;
  /** First position of each row's granule, and that of the end last. */
  starts: Float64Array;
  /** Arrays along it, by path. */
  arrays: Map<string, ArrayMeta>;
  /** Arrays that have one position a granule. */
  perGranule: Map<string, ArrayMeta>;
}

export type Location = ByColumn | Stacked | Stacks | EndToEnd;
