/** Exit statuses of a process that a signal ended, as shells count them. */
const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Aborts at the first of these signals that comes, in place of the handlers set before. A second one ends the process at
 * once, for when shutting down takes too long.
 */
export function endingAt(...signals: (keyof typeof STATUS)[]): AbortSignal {
  const told = new AbortController();
  for (const signal of signals) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (told.signal.aborted) process.exit(STATUS[signal]);
      told.abort();
    });
  }
  return told.signal;
}
