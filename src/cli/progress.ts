/** A line on the terminal that says what is going on, once it has gone on for a second. */
export interface Progress {
  /** Takes the line away, for good. */
  done(): void;
}

const PATIENCE_MS = 1000;

/** Shows `what` and the seconds gone by on stderr; shows nothing where stderr is no terminal. */
export function startProgress(what: string): Progress {
  if (!process.stderr.isTTY) return { done() {} };
  const started = performance.now();
  let shown = false;
  const show = () => {
    shown = true;
    process.stderr.write(`\r\x1b[K${what} … ${Math.round((performance.now() - started) / 1000)} s`);
  };
  const timer = setInterval(show, PATIENCE_MS);
  timer.unref();
  return {
    done() {
      clearInterval(timer);
      if (shown) process.stderr.write("\r\x1b[K");
      shown = false;
    },
  };
}
