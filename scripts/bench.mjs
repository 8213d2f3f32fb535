// `npm run bench [-- NAME]`: builds, makes the peers' environments, runs bench/*.bench.ts one after the other.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findPythons, makeVenv } from "./lib/python.mjs";
import { mustRun, ROOT, run } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const wanted = process.argv.slice(2);
const names = readdirSync(join(ROOT, "bench"))
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(/\.bench\.ts$/, ""))
  .filter((name) => wanted.length === 0 || wanted.includes(name));
if (names.length === 0) throw new Error(`no benchmark is called ${wanted.join(", ")}; see bench/`);
if (!(await setup())) process.exit(1);

// Python 3.12 has wheels of all peers; without it those that need it are left out, and the results say so.
const pythons = findPythons();
const recent = pythons.find(({ minor }) => minor >= 12);
const env = {};
await peers("BENCH_PYTHON", ".bench/venv", recent ?? pythons[0], "scripts/python/bench.txt");
if (recent)
  await peers("BENCH_SERVER_PYTHON", ".bench/venv-server", recent, "scripts/python/bench-server.txt");

async function peers(variable, folder, python, requirements) {
  try {
    mkdirSync(join(ROOT, ".bench"), { recursive: true });
    if (python) env[variable] = await makeVenv(folder, python, requirements);
  } catch (error) {
    process.stderr.write(`left out: ${folder}: ${error.message}\n`);
  }
}

const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
await mustRun("building the benchmarks", process.execPath, [tsc, "-p", "tsconfig.bench.json"], {
  quiet: true,
});
const build = join(ROOT, ".bench/build");
if (!existsSync(join(build, "package.json")))
  writeFileSync(join(build, "package.json"), '{"type":"module"}\n');
for (const name of names) {
  process.stderr.write(`\n== ${name}\n`);
  const { code } = await run(process.execPath, [join(build, `bench/${name}.bench.js`)], { env });
  if (code !== 0) process.exitCode = 1;
}
