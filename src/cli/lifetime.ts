/** Exit statuses of a process that a signal ended, as shells count them. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Waits for SIGINT or SIGTERM, in place of the handlers set before. A second one ends the process at once,
 * for when shutting down takes too long.
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.removeAllListeners(signal);
      process.on(signal, () => {
        process.removeAllListeners(signal);
        process.on(signal, () => process.exit(STATUS[signal]));
        resolve();
      });
    }
  });
}
