import { once } from "node:events";

/**
 * Writes data to stdout, waiting while its reader is slow.
 * A reader that goes away (`| head`) ends the process quietly: see `endOnClosedPipe`.
 */
export async function print(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, "drain");
}

/** Writes a line for people to stderr, on a line of its own beside a progress line. */
export function log(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
}

/** Ends the process with status 0 once nobody reads what it writes. */
export function endOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}

/** Columns of the terminal on stdout; `undefined` where it is a file or a pipe. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}
