/** The part of a collection and of a view that the server stands on. */
import type { Collection as WholeCollection } from "../collection.ts";
import type { View as WholeView } from "../view/view.ts";

export type Collection = Pick<
  WholeCollection,
  "name" | "rows" | "version" | "describe" | "query" | "explain" | "view" | "restore" | "recall"
>;

export type View = Pick<
  WholeView,
  "id" | "count" | "skipped" | "fields" | "layout" | "version" | "definition" | "face" | "spotCheck" | "asOf"
>;
