/** Planning: SQL over a table → rows. */
export type { Batch, OutputColumn, Parameter, QueryOptions } from "./api.ts";
export { isRowQuery } from "./bind/select.ts";
export {
  type ExplainStep,
  type Plan,
  type PlanOptions,
  type Projection,
  planQuery,
  projectColumns,
  Query,
} from "./plan.ts";
