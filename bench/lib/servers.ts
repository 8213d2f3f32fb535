import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

/** A server under test: `base` and a key of the store make a URL. */
export interface Server {
  name: string;
  base: string;
  pid: number;
  stop(): Promise<void>;
}

/** nginx over the files of `store`, as a plain static server with its descriptors cached. */
export async function startNginx(store: string, scratch: string): Promise<Server> {
  const port = await freePort();
  const folder = resolve(scratch, "nginx");
  mkdirSync(folder, { recursive: true });
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = places.map((name) => `${name}_temp_path ${join(folder, name)};`).join(" ");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `${user} daemon off; worker_processes auto; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary}
  open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s;
  types { application/json json; } default_type application/octet-stream;
  server { listen 127.0.0.1:${port}; root ${resolve(store)}; }
}
`,
  );
  const child = spawn("nginx", ["-c", config, "-p", folder], { stdio: "ignore" });
  return ready("nginx", `http://127.0.0.1:${port}/`, child);
}

/** zarr-http-server over the same store. */
export async function startHttpServer(store: string): Promise<Server> {
  const port = await freePort();
  const python = process.env.BENCH_SERVER_PYTHON;
  if (!python) throw new Error("zarr-http-server needs Python 3.12 or newer");
  const child = spawn(python, ["bench/peers/http_server.py", store, String(port)], { stdio: "ignore" });
  return ready("zarr-http-server", `http://127.0.0.1:${port}/`, child);
}

/** `zarrsift serve` with a view of all of the store's granules. */
export async function startZarrsift(
  name: string,
  store: string,
  scratch: string,
  limits: object,
): Promise<Server> {
  const server = await startServe(name, { g: store }, scratch, limits);
  const view = await makeView(server, "g", { sql: "SELECT idx FROM meta" });
  return { ...server, base: `${view}/` };
}

/** `zarrsift serve` with stores by collection name. */
export async function startServe(
  name: string,
  stores: Record<string, string>,
  scratch: string,
  limits: object,
): Promise<Server> {
  const port = await freePort();
  const folder = resolve(scratch, name.replace(/\W+/g, "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify({ limits }));
  const options = ["--port", String(port), "--config", join(folder, "config.json"), "--state-dir", folder];
  const sources = Object.entries(stores).map(([collection, store]) => `${collection}=${store}`);
  const child = spawn(process.execPath, ["dist/cli/main.js", "serve", ...sources, ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return ready(name, `http://127.0.0.1:${port}/`, child);
}

/** Makes a view; returns the URL of its v3 face. */
export async function makeView({ base }: Server, collection: string, body: object): Promise<string> {
  const answer = await fetch(`${base}collections/${collection}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const view = (await answer.json()) as { v3: string };
  if (!answer.ok) throw new Error(`making the view: ${JSON.stringify(view)}`);
  return view.v3.replace(/\/$/, "");
}

/** The server once it answers, whatever it answers. */
async function ready(name: string, base: string, child: ChildProcess): Promise<Server> {
  let ended = false;
  const end = once(child, "exit").then(() => {
    ended = true;
  });
  for (let tries = 0; tries < 300 && !ended; tries++) {
    const answered = await fetch(base).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
    if (answered) return { name, base, pid: child.pid!, stop: () => stop(child, end) };
    await new Promise((resume) => setTimeout(resume, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`${name} does not answer`);
}

async function stop(child: ChildProcess, end: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  await end;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return (address as { port: number }).port;
}
