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
  const { status, start, end, more } = answerTo(request, body.length);
  response.writeHead(status, { "content-length": String(end - start), ...headers, ...more });
  response.end(request.method === "HEAD" ? undefined : body.subarray(start, end));
}

/** As `sendBytes`, of a file: no more of it is read than is sent. */
function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  headers: Record<string, string>,
): void {
  const { status, start, end, more } = answerTo(request, statSync(path).size);
  response.writeHead(status, { "content-length": String(end - start), ...headers, ...more });
  if (request.method === "HEAD" || start === end) response.end();
  else createReadStream(path, { start, end: end - 1 }).pipe(response);
}

/** Which bytes of `size` a request gets. */
function answerTo(request: IncomingMessage, size: number) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  if (!match || request.method === "HEAD") return { status: 200, start: 0, end: size, more: {} };
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  if (start >= size) return { status: 416, start: 0, end: 0, more: { "content-range": `bytes */${size}` } };
  return { status: 206, start, end, more: { "content-range": `bytes ${start}-${end - 1}/${size}` } };
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
      sendFile(request, response, path, { etag: `"${info.size}-${info.mtimeMs}"` });
    }
  };
}
