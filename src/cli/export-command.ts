import { setMaxListeners } from "node:events";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { type Arguments, choice, integer, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { checkTarget, exportIcechunk, exportZarr } from "./export-copy.ts";
import { checkKerchunk, exportKerchunk } from "./export-kerchunk.ts";
import { openView } from "./export-view.ts";
import { log } from "./output.ts";
import { startProgress } from "./progress.ts";
import { READ_HELP, READ_OPTIONS } from "./reading.ts";
import { INDEXES_HELP, SOURCE_HELP } from "./source.ts";

const help = `usage: zarrsift export VIEW|SQL SOURCE --to kerchunk FILE.json|DIR.parq [options]
       zarrsift export VIEW|SQL SOURCE --to zarr DIR|s3://BUCKET/PREFIX [options]
       zarrsift export VIEW|SQL SOURCE --to icechunk DIR|s3://BUCKET/PREFIX [options]

Hands a view over, for others to read with no zarrsift around.
VIEW is the id of a view that zarrsift serve keeps; SQL makes one, as over HTTP.
${SOURCE_HELP}
  With --config, SOURCE is the name of a collection in that file.

  --to kerchunk        references for fsspec: where in SOURCE's own objects each chunk is, with the metadata of the
                       view. FILE.json is written as it is found; DIR.parq, for stacked views of very many chunks, is
                       read piece by piece. Chunks that only the view has (several granules share one in the source)
                       are written into the references up to --inline bytes each; larger ones are an error
  --to zarr            a copy, chunks byte for byte. Stopped at any time, the same command goes on where it was;
                       nothing opens before it is complete. S3: keys, region and endpoint as for s3: sources
  --to icechunk        a copy as a new Icechunk repository (format 1) of one commit; begun anew if it was stopped.
                       Needs the package @earthmover/icechunk

  --layout LAYOUT      granules (default), stacked or concatenated
  --group-by encoding  in the stacked layout: one stack for each encoding that granules have
  --fields NAMES       columns to flatten into attributes, commas between; default: what the SQL selects
  --variables NAMES    only these arrays of each granule, commas between
  --missing skip       leave rows out whose granule is not in SOURCE (default error)
  --params JSON        values for $1, $2 … in the SQL, as a JSON array
  --zarr-format 2|3    of the metadata; default 2 for kerchunk, 3 for zarr; icechunk has 3 alone
  --inline BYTES       largest chunk written into references; default 1048576
  --parallel N         chunks worked on at once; default 32 for kerchunk, 16 for copies
  --state-dir DIR      where zarrsift serve keeps views (default: $XDG_STATE_HOME/zarrsift or ~/.local/state/zarrsift)
  --config FILE        configuration of zarrsift serve, with credentials and virtual chunks
  ${INDEXES_HELP}
  ${READ_HELP}

examples:
  zarrsift export "SELECT * FROM meta WHERE cloud_cover < 10" s3://bucket/granules.zarr --to kerchunk refs.json
  zarrsift export "SELECT idx, date FROM meta" winds.zarr --layout stacked --to kerchunk refs.parq
  zarrsift export "SELECT * FROM meta WHERE cloud_cover < 10" granules.zarr --to zarr clear.zarr
`;

/** `zarrsift export VIEW|SQL SOURCE --to FORMAT TARGET`: a view as references, or as a copy. */
export const exportView: Command = {
  help,
  options: {
    to: { type: "string" },
    layout: { type: "string" },
    "group-by": { type: "string" },
    fields: { type: "string" },
    variables: { type: "string" },
    missing: { type: "string" },
    params: { type: "string" },
    "zarr-format": { type: "string" },
    inline: { type: "string" },
    parallel: { type: "string" },
    "state-dir": { type: "string" },
    config: { type: "string" },
    indexes: { type: "string" },
    ...READ_OPTIONS,
  },
  async run(args) {
    const [what, source, target, ...surplus] = args.positionals;
    if (args.text("to") === undefined) throw new UsageError(`export needs --to ${FORMATS.join(", ")}`);
    const to = choice(args, "to", FORMATS);
    if (what === undefined || source === undefined || target === undefined)
      throw new UsageError(`export needs a VIEW or SQL, a SOURCE, and what to write: --to ${to} TARGET`);
    if (surplus.length > 0)
      throw new UsageError(`export takes one SQL text; quote it (then came ${surplus[0]})`);
    if (/^\s*(select|with)\s/i.test(source))
      throw new UsageError("export takes the SQL first, then the SOURCE");
    const work = { what, source, target, args, signal: interruptible(to) };
    await WAYS[to](work);
  },
};

interface Work {
  what: string;
  source: string;
  target: string;
  args: Arguments;
  signal: AbortSignal;
}

const FORMATS = ["kerchunk", "zarr", "icechunk"] as const;
type Format = (typeof FORMATS)[number];

const WAYS: Record<Format, (work: Work) => Promise<void>> = {
  async kerchunk(work) {
    const { args, target, signal } = work;
    const format = zarrFormat(args);
    checkKerchunk(target, format);
    const inlineBytes = integer(args, "inline", 0, 2 ** 30);
    const parallel = parallelOf(args);
    await withView(work, (view) => exportKerchunk(view, target, { format, inlineBytes, parallel, signal }));
  },
  async zarr(work) {
    const { args, target, signal } = work;
    const format = zarrFormat(args);
    checkTarget(target);
    noInline(args, "zarr");
    const parallel = parallelOf(args);
    await withView(work, (view, source) => exportZarr(view, source, target, { format, parallel, signal }));
  },
  async icechunk(work) {
    const { args, target, signal } = work;
    checkTarget(target);
    noInline(args, "icechunk");
    if (zarrFormat(args) === 2) throw new UsageError("--zarr-format 2: Icechunk holds Zarr v3 alone");
    const parallel = parallelOf(args);
    await withView(work, (view, source) =>
      exportIcechunk(view, source, target, { format: 3, parallel, signal }),
    );
  },
};

async function withView(
  { what, source, args, signal }: Work,
  use: (view: View, source: string) => Promise<void>,
): Promise<void> {
  const progress = startProgress(`finding granules in ${source}`);
  try {
    const { view, collection } = await openView(what, source, args, signal);
    progress.done();
    const { count, skipped } = view;
    if (skipped > 0)
      log(
        `${skipped.toLocaleString("en")} of ${(count + skipped).toLocaleString("en")} rows are left out: ` +
          "their granules are not in the source",
      );
    await use(view, collection.source);
    await collection.close();
  } finally {
    progress.done();
  }
}

/** What becomes of what was stopped. */
const STOPPED: Record<Format, string> = {
  kerchunk: "nothing was written",
  zarr: "a copy goes on with the same command",
  icechunk: "a copy is begun anew with the same command",
};

/** A signal that Ctrl-C aborts. */
function interruptible(to: Format): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  process.removeAllListeners("SIGINT");
  process.once("SIGINT", () => controller.abort(new Error(`interrupted; ${STOPPED[to]}`)));
  return controller.signal;
}

const parallelOf = (args: Arguments) => integer(args, "parallel", 1, 1024);

function noInline(args: Arguments, to: string): void {
  if (args.text("inline") !== undefined) throw new UsageError(`--inline goes with --to kerchunk, not ${to}`);
}

function zarrFormat(args: Arguments): Face | undefined {
  return integer(args, "zarr-format", 2, 3) as Face | undefined;
}
