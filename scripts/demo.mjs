// `npm run demo`: everything from a fresh clone to a served view. Arguments go to `zarrsift demo`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

if (!(await setup({ quiet: true }))) process.exit(1);

const command = [join(ROOT, "dist/cli/main.js"), "demo", ...process.argv.slice(2)];
const demo = spawn(process.execPath, command, { stdio: "inherit" });
// The terminal sends Ctrl-C to both; wait for the demo to end in its own way.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => demo.kill(signal));
demo.on("close", (code) => process.exit(code ?? 1));
