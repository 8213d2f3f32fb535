// The package's modules as few files: Node loads one of a hundred modules in a quarter of the time of a hundred.
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { ROOT } from "./run.mjs";

const SRC = join(ROOT, "src");
/** What package.json and `new Worker` name. */
const ENTRIES = ["index", "server/index", "cli/main", "cli/index-thread"];

/**
 * Bundles the library, the server and the command, which share their chunks; what they load late stays apart, and
 * dependencies stay imports.
 *
 * @param {string} to the folder that gets the files, each entry and what is loaded late at the path it has in src/
 */
export async function bundleProgram(to) {
  const built = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(SRC, `${name}.ts`)])),
    platform: "node",
    external: /^[^./]/,
    cwd: ROOT,
  });
  await built.write({ dir: to, format: "es", chunkFileNames: nameOf });
  await built.close();
}

/** One folder deep, whatever it is: `import.meta.url` of a module is as far from package.json as it is in src/. */
function nameOf({ name, facadeModuleId, moduleIds }) {
  if (facadeModuleId) return relative(SRC, facadeModuleId).replace(/\.ts$/, ".js");
  const folders = moduleIds.map((id) => relative(SRC, id).split("/")[0]);
  return `${["cli", "server"].find((one) => folders.includes(one)) ?? "shared"}/${name}-[hash].js`;
}
