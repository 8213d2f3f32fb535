import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The keys that an `S3Server` knows. */
export const KEYS = { accessKeyId: "zarrsift", secretAccessKey: "a secret/with+signs" };

const PROGRAM = process.env.ZARRSIFT_VERSITYGW ?? "versitygw";

/** Why there is no S3 server here; `undefined`: there is. */
export const noS3Server =
  spawnSync(PROGRAM, ["--version"]).status === 0
    ? undefined
    : "needs versitygw, an S3 server: go install github.com/versity/versitygw/cmd/versitygw@latest, " +
      "in PATH or named by ZARRSIFT_VERSITYGW";

/** A real S3 server on this machine; a folder below `root` is a bucket. */
export class S3Server {
  endpoint = "";
  #root: string | undefined;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  /** @param etags whether objects have the ETags they were uploaded with; files put into `root` by others have none */
  constructor({ etags = false } = {}) {
    this.#options = etags ? [] : ["--nometa"];
  }

  /** Made when it is asked for: where there is no server nothing is left behind. */
  get root(): string {
    this.#root ??= mkdtempSync(join(tmpdir(), "zarrsift-s3-"));
    return this.#root;
  }

  async start(port?: number): Promise<this> {
    const address = `127.0.0.1:${port ?? (await freePort())}`;
    this.endpoint = `http://${address}`;
    const env = { ...process.env, ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey };
    const args = ["--port", address, "posix", ...this.#options, this.root];
    this.#process = spawn(PROGRAM, args, { env, stdio: "ignore" });
    for (let tries = 0; tries < 100; tries++) {
      if (await fetch(this.endpoint).catch(() => undefined)) return this;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the S3 server does not answer");
  }

  stop(): void {
    this.#process?.kill();
    if (this.#root) rmSync(this.#root, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
