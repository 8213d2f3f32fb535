/** Prometheus metrics of one app. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AppOptions } from "./options.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Figures that are read when the metrics are asked for. */
export interface Gauges {
  queriesRunning(): number;
  queriesWaiting(): number;
  viewsStored(): number;
  pathQueries(): number;
}

/** Counts what the server does, for /metrics. */
export class Metrics {
  readonly registry = new Registry();
  readonly #bytes: Counter<"route">;
  readonly #cache: Counter<"result">;
  readonly #of: (route: string, status: string) => { count(seconds: number): void };

  constructor(gauges: Gauges, sourceCounts: AppOptions["sourceCounts"]) {
    const registers = [this.registry];
    const requests = new Counter({
      name: "zarrsift_http_requests_total",
      help: "Requests answered, by route and status class",
      labelNames: ["route", "status"],
      registers,
    });
    const seconds = new Histogram({
      name: "zarrsift_http_request_duration_seconds",
      help: "Time from a request's head to its answer's last byte",
      labelNames: ["route"],
      buckets: SECONDS,
      registers,
    });
    this.#bytes = new Counter({
      name: "zarrsift_http_response_bytes_total",
      help: "Bytes of bodies sent, by route",
      labelNames: ["route"],
      registers,
    });
    this.#cache = new Counter({
      name: "zarrsift_cache_lookups_total",
      help: "Reads below views, by whether memory had the bytes (hit, miss)",
      labelNames: ["result"],
      registers,
    });
    this.#of = memo((route, status) => {
      const counter = requests.labels(route, status);
      const histogram = seconds.labels(route);
      return {
        count(time) {
          counter.inc();
          histogram.observe(time);
        },
      };
    });
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 50 });
    this.#gauge("zarrsift_queries_running", "Queries running", gauges.queriesRunning);
    this.#gauge("zarrsift_queries_waiting", "Queries waiting for their turn", gauges.queriesWaiting);
    this.#gauge("zarrsift_views", "Views kept", gauges.viewsStored);
    this.#gauge("zarrsift_path_queries", "Queries in paths whose answers are kept", gauges.pathQueries);
    if (sourceCounts) this.#sources(sourceCounts);
  }

  /** Counts an answered request; `bytes` of its body, where they are known by its Content-Length. */
  answered(request: FastifyRequest, reply: FastifyReply, route: string): void {
    const status = reply.statusCode;
    this.#of(route, `${Math.floor(status / 100)}xx`).count(reply.elapsedTime / 1000);
    if (request.method !== "HEAD" && status !== 304) {
      const length = Number(reply.getHeader("content-length") ?? 0);
      if (length > 0) this.sent(route, length);
    }
  }

  sent(route: string, bytes: number): void {
    this.#bytes.inc({ route }, bytes);
  }

  looked(result: "hit" | "miss"): void {
    this.#cache.inc({ result });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  #sources(sourceCounts: NonNullable<AppOptions["sourceCounts"]>): void {
    for (const kind of ["requests", "bytes"] as const) {
      new Gauge({
        name: `zarrsift_source_${kind}`,
        help: `${kind} read from sources since they were opened`,
        labelNames: ["collection"],
        registers: [this.registry],
        collect() {
          for (const count of sourceCounts()) this.set({ collection: count.collection }, count[kind]);
        },
      });
    }
  }
}

/** Looking labels up costs more than counting, so what was looked up is kept. Routes and statuses are few. */
function memo<T>(make: (route: string, status: string) => T): (route: string, status: string) => T {
  const made = new Map<string, T>();
  return (route, status) => {
    const key = `${status} ${route}`;
    let value = made.get(key);
    if (value === undefined) {
      value = make(route, status);
      made.set(key, value);
    }
    return value;
  };
}
