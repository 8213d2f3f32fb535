/** A thread that does the work for one column after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { isZarrsiftError, messageOf } from "../errors.ts";
import { namedCovering } from "../index/build/covering-columns.ts";
import { produceColumn } from "../index/build/product.ts";
import { IndexTarget } from "../index/build/target.ts";
import { openSource } from "../store/open.ts";
import { openWritable } from "../store/open-writable.ts";
import { openTable } from "../table/open.ts";
import { Hierarchy } from "../zarr/hierarchy.ts";
import type { ThreadAnswer, ThreadData, ThreadTask } from "./index-threads.ts";

const { source, target, reading, cacheBytes } = workerData as ThreadData;
const store = await openSource(source, { ...reading, cacheBytes });
const hierarchy = await Hierarchy.open(store);
const table = await openTable(hierarchy, store);
const writable = await openWritable(target);
const port = parentPort!;
const answer = (message: ThreadAnswer) => port.postMessage(message);

async function run({ column, coverings: names, ...given }: ThreadTask): Promise<void> {
  const indexes = await IndexTarget.open(writable, hierarchy.format);
  const onRows = (rows: number) => answer({ kind: "rows", rows });
  const coverings = names.map((four) => namedCovering(four, table.columns));
  const options = { ...given, coverings, onRows };
  const product = await produceColumn(table.columns.get(column)!, store, indexes, options);
  answer({ kind: "product", product, parts: indexes.parts() });
}

port.on("message", (task: ThreadTask) => {
  run(task).catch((error) => {
    const ours = isZarrsiftError(error);
    answer({
      kind: "error",
      message: messageOf(error),
      code: ours ? error.code : undefined,
      details: ours ? error.details : {},
    });
  });
});
