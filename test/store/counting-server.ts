import type { IncomingMessage, ServerResponse } from "node:http";
import { directoryHandler, type Handler, TestServer } from "./server.ts";

/** What a client has asked for, from a reset to now. */
export interface Seen {
  requests: number;
  /** Of answers' bodies. */
  bytes: number;
  /** The longest chain of requests of which each was sent after the one before it was answered. */
  rounds: number;
}

/** A directory over HTTP, slow enough that requests which do not wait for each other are on their way together. */
export class CountingServer {
  readonly url: string;
  readonly server: TestServer;
  #seen: Seen = { requests: 0, bytes: 0, rounds: 0 };
  /** Rounds that have ended. */
  #answered = 0;

  private constructor(server: TestServer, hook: (count: Handler) => void) {
    this.server = server;
    this.url = server.url;
    hook((request, response) => this.#count(request, response));
  }

  /** @param delay of each answer, in milliseconds */
  static async start(root: string, delay: number): Promise<CountingServer> {
    const directory = directoryHandler(root);
    let count: Handler = () => {};
    const server = await TestServer.start((request, response) => {
      count(request, response);
      setTimeout(() => directory(request, response), delay);
    });
    return new CountingServer(server, (hook) => {
      count = hook;
    });
  }

  /** Since the last reset. */
  get seen(): Seen {
    return { ...this.#seen };
  }

  reset(): void {
    this.#seen = { requests: 0, bytes: 0, rounds: 0 };
    this.#answered = 0;
    this.server.log.length = 0;
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }

  #count(request: IncomingMessage, response: ServerResponse): void {
    const seen = this.#seen;
    const round = this.#answered + 1;
    seen.requests++;
    seen.rounds = Math.max(seen.rounds, round);
    const writeHead = response.writeHead.bind(response) as (
      status: number,
      headers: object,
    ) => ServerResponse;
    response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
      if (request.method !== "HEAD") seen.bytes += Number(headers["content-length"] ?? 0);
      return writeHead(status, headers);
    }) as ServerResponse["writeHead"];
    response.once("finish", () => {
      if (seen === this.#seen) this.#answered = Math.max(this.#answered, round);
    });
  }
}
