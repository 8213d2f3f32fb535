import type { FastifyReply } from "fastify";
import type { Lru } from "../lru.ts";
import type { Catalog } from "./catalog.ts";
import type { Lending } from "./lending.ts";
import type { Gate } from "./limits.ts";
import type { LiveViews } from "./live-views.ts";
import type { Metrics } from "./metrics.ts";
import type { Limits } from "./options.ts";
import type { PinnedQueries } from "./pinned.ts";
import type { Held } from "./send.ts";
import type { ViewsStore } from "./views-store.ts";
import { type Watch, watchClient } from "./watch.ts";

/** What the routes of one app share. */
export interface Context {
  readonly catalog: Catalog;
  readonly limits: Limits;
  readonly publicUrl: string | undefined;
  /** How long signed URLs of chunks last; `undefined`: chunks are served, not redirected. */
  readonly redirectSeconds: number | undefined;
  readonly store: ViewsStore;
  readonly live: LiveViews;
  readonly pinned: PinnedQueries;
  readonly gate: Gate;
  readonly cache: Lru<Held>;
  readonly lending: Lending;
  readonly metrics: Metrics;
  /** Aborts when the server closes and its patience with running requests is over. */
  readonly closing: AbortSignal;
}

/** Waits for a turn to query, then gives `work` the time that queries have. */
export async function takeTurn<T>(context: Context, watch: Watch, work: () => Promise<T>): Promise<T> {
  const leave = await context.gate.enter(watch.signal);
  watch.limit(context.limits.queryMs, "The query");
  try {
    return await work();
  } finally {
    leave();
  }
}

/** Runs a query for one client: aborted when it hangs up, in turn, in time. */
export function runQuery<T>(
  context: Context,
  reply: FastifyReply,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return watchClient(reply, context.closing).run((watch) =>
    takeTurn(context, watch, () => work(watch.signal)),
  );
}
