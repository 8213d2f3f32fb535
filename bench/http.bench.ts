/**
 * What a question costs over HTTP from a cold cache: requests, bytes and dependent rounds, counted by a static server
 * that answers after DELAY ms, for the queries of ../shared/bench/queries.json on an indexed table of ROWS rows; and
 * how that grows with the table where the answer does not, for tables of GROWTH rows.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { open } from "../src/index.ts";
import { CountingServer, type Seen } from "../test/store/counting-server.ts";
import { table, writeResult } from "./lib/report.ts";
import { short } from "./lib/stats.ts";
import { indexedTable, needShared, SHARED } from "./lib/tables.ts";

const ROWS = process.env.ROWS ?? "1e7";
const GROWTH = (process.env.GROWTH ?? "1e6,1e7").split(",");
const DELAY = Number(process.env.DELAY ?? 20);

const stamp = (date: Date) => date.toISOString().slice(0, 19).replace("T", " ");

interface Cost extends Seen {
  rows: number;
  ms: number;
  /** Of these, before the question was asked. */
  opening: Seen;
}

needShared("http");
const queries = JSON.parse(readFileSync(`${SHARED}/queries.json`, "utf8")) as Record<string, string>;
for (const rows of new Set([ROWS, ...GROWTH])) await indexedTable(rows);
const server = await CountingServer.start(".bench", DELAY);
const asked: Record<string, Cost> = {};
for (const [name, sql] of Object.entries(queries)) asked[name] = await ask(ROWS, sql);
const growth: Record<string, Record<string, Cost>> = {};
for (const rows of GROWTH) {
  for (const [name, sql] of Object.entries(fixedAnswers(Number(rows)))) {
    growth[name] = { ...growth[name], [rows]: await ask(rows, sql) };
  }
}
await server.stop();
writeResult("http", page(), { rows: Number(ROWS), delay_ms: DELAY, queries: asked, growth });

/** Questions with about a thousand rows for an answer, however long the table is. */
function fixedAnswers(rows: number): Record<string, string> {
  const year = (part: number) => new Date(Date.UTC(2017, 5, 1) + part * 365.25 * 86_400_000);
  const during = (years: number) =>
    `date >= TIMESTAMP '${stamp(year(0))}' AND date < TIMESTAMP '${stamp(year(years))}'`;
  // Boxes lie evenly over 358 by 178 degrees, and are 1.025 degrees wide and high on the average.
  const inside = (found: number) => {
    const side = Math.max(0.01, Math.sqrt((found * 358 * 178) / rows) - 1.025);
    return `ST_Intersects(bbox, ST_MakeEnvelope(10, 10, ${10 + side}, ${10 + side}))`;
  };
  return {
    date: `SELECT idx FROM meta WHERE ${during((15 * 1000) / rows)}`,
    box: `SELECT idx FROM meta WHERE ${inside(1000)}`,
    "date and box": `SELECT idx FROM meta WHERE ${during(3)} AND ${inside(5000)}`,
  };
}

async function ask(rows: string, sql: string): Promise<Cost> {
  const url = `${server.url}/${basename(await indexedTable(rows))}`;
  server.reset();
  const started = performance.now();
  const collection = await open(url);
  const opening = server.seen;
  const result = await collection.query(sql);
  let found = 0;
  for await (const { length } of result.batches()) found += length;
  const cost = { rows: found, ms: performance.now() - started, opening, ...server.seen };
  await collection.close();
  return cost;
}

function page(): string {
  const heads = ["query (rows)", "requests", "MB", "rounds", "ms"];
  const cells = (name: string, { rows, requests, bytes, rounds, ms }: Cost) => [
    `${name} (${rows.toLocaleString("en")})`,
    String(requests),
    short(bytes / 1e6),
    String(rounds),
    short(ms),
  ];
  const first = table(
    heads,
    Object.entries(asked).map(([name, cost]) => cells(name, cost)),
  );
  const lines = Object.entries(growth).flatMap(([name, costs]) =>
    Object.entries(costs).map(([rows, cost]) => {
      const least = costs[GROWTH[0]!]!.bytes;
      return [Number(rows).toLocaleString("en"), ...cells(name, cost), short(cost.bytes / least)];
    }),
  );
  const second = table(["rows of the table", ...heads, "MB ÷ smallest"], lines);
  const { requests, bytes, rounds } = Object.values(asked)[0]!.opening;
  return [
    `${Number(ROWS).toLocaleString("en")} rows (make_meta.py, seed 42), indexed, as files behind a static server that`,
    `answers after ${DELAY} ms and lists directories; each time a collection is opened anew. Opening is ${requests} requests,`,
    `${short(bytes / 1e6)} MB and ${rounds} rounds of each line. A round: requests that wait for none of each other.`,
    `\n${first}\nAnswers of about the same size from tables of different lengths:\n\n${second}`,
  ].join("\n");
}
