import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on a free port that remembers what it was asked. */
export class TestServer {
  readonly url: string;
  /** `METHOD /path` and Range, in order. */
  readonly log: string[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(handler: Handler): Promise<TestServer> {
    let self: TestServer | undefined;
    const server = createServer((request, response) => {
      self?.requests.push(request);
      self?.log.push([request.method, request.url, request.headers.range].filter(Boolean).join(" "));
      handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    self = new TestServer(server);
    return self;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers a range of `body` as RFC 9110 says, or all of it. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  headers: Record<string, string> = {},
): void {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  const send = (status: number, bytes: Uint8Array, more: Record<string, string> = {}) => {
    response.writeHead(status, { "content-length": String(bytes.length), ...headers, ...more });
    response.end(request.method === "HEAD" ? undefined : bytes);
  };
  if (!match || request.method === "HEAD") {
    send(200, body);
    return;
  }
  const size = body.length;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  if (start >= size) send(416, new Uint8Array(0), { "content-range": `bytes */${size}` });
  else send(206, body.subarray(start, end), { "content-range": `bytes ${start}-${end - 1}/${size}` });
}

/** Serves a directory with ranges and index pages, in the manner of nginx. */
export function directoryHandler(root: string): Handler {
  return (request, response) => {
    const path = join(root, decodeURIComponent(new URL(request.url!, "http://x").pathname));
    const info = existsSync(path) ? statSync(path) : undefined;
    if (!info || (info.isFile() && path.endsWith("/"))) {
      response.writeHead(404).end("not found");
    } else if (info.isDirectory()) {
      const links = readdirSync(path, { withFileTypes: true }).map((entry) => {
        const name = encodeURIComponent(entry.name) + (entry.isDirectory() ? "/" : "");
        return `<a href="${name}">${name}</a>`;
      });
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<html><body><a href="../">../</a>${links.join("\n")}</body></html>`);
    } else {
      const parts: Buffer[] = [];
      createReadStream(path)
        .on("data", (part) => parts.push(part as Buffer))
        .on("end", () => {
          sendBytes(request, response, Buffer.concat(parts), { etag: `"${info.size}-${info.mtimeMs}"` });
        });
    }
  };
}
