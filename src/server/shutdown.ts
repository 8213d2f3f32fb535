/** Ending a server: running requests may end, nothing new begins, nothing lingers. */
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { ZarrsiftError } from "../errors.ts";

const LOOK_MS = 50;

/** The state of a server that ends. */
export interface Shutdown {
  /** Whether it has begun. */
  begun(): boolean;
  /** Aborts when requests that still run must stop. */
  readonly signal: AbortSignal;
  /** Hooks it into `app.close()`. */
  attach(app: FastifyInstance): void;
}

/** @param graceMs milliseconds that running requests get */
export function shutdown(graceMs: number): Shutdown {
  const controller = new AbortController();
  let begun = false;
  const attach = (app: FastifyInstance) => {
    const sockets = new Set<Socket>();
    const timers: NodeJS.Timeout[] = [];
    app.server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    // Connections that were kept alive, or opened in advance, would keep the server open.
    const closeUnused = () => {
      app.server.closeIdleConnections();
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    };
    const stop = () => {
      controller.abort(new ZarrsiftError("shutting_down", "This server is shutting down."));
      timers.push(setTimeout(() => app.server.closeAllConnections(), 1000));
    };
    app.addHook("preClose", async () => {
      begun = true;
      timers.push(setInterval(closeUnused, LOOK_MS), setTimeout(stop, graceMs));
    });
    app.addHook("onClose", async () => timers.forEach(clearTimeout));
  };
  return { begun: () => begun, signal: controller.signal, attach };
}
