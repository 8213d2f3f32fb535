/** A page that has the bundle, and data of another origin. */
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Handler } from "../store/server.ts";

declare global {
  interface Window {
    zarrsift: typeof import("../../src/index.ts");
    zarr: typeof import("zarrita");
  }
}

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
};

/** Serves files of several folders, by the first part of the path, as the plainest server would. */
export function filesHandler(folders: Record<string, string>): Handler {
  return (request, response) => {
    const [, first, ...rest] = new URL(request.url!, "http://x").pathname.split("/");
    const folder = folders[first!];
    const path = folder && join(folder, ...rest);
    if (!path || !extname(path) || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  };
}

/** A page with the bundle that lies at `/bundle/`, as `zarrsift` and `zarr`. */
export const PAGE = `<!doctype html>
<title>zarrsift</title>
<script type="importmap">
  {"imports": {"zarrsift": "/bundle/zarrsift.js", "zarrita": "/bundle/zarrita.js"}}
</script>
<script type="module">
  import * as zarrsift from "zarrsift";
  import * as zarr from "zarrita";
  Object.assign(window, { zarrsift, zarr });
</script>`;

/** Lets every origin read, and nothing more, as a plain file server does: no leave to send headers of one's own. */
export function withCors(handler: Handler, exposed?: string): Handler {
  return (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    if (exposed) response.setHeader("access-control-expose-headers", exposed);
    if (request.method === "OPTIONS") response.writeHead(405).end();
    else handler(request, response);
  };
}
