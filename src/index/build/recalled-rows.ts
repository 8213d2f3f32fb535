import type { Vector } from "../../table/vector.ts";
import type { Shapes } from "../shapes.ts";

/** The value of each of so many rows. */
export interface RecalledRows {
  /** Rows `from` to `to` (exclusive). */
  vector(from: number, to: number): Vector;
  shapes?(from: number, to: number): Shapes;
}
