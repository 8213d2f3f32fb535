/** Three columns read whole in a process of its own: opening, asking and all values. `node read-columns.js STORE SQL` */
import { open } from "../../src/index.ts";

const [store, sql] = process.argv.slice(2) as [string, string];
const started = performance.now();
const collection = await open(store);
const result = await collection.query(sql);
let rows = 0;
for await (const batch of result.batches()) rows += batch.length;
const ms = performance.now() - started;
await collection.close();
process.stdout.write(JSON.stringify({ rows, ms }));
