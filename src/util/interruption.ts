/** Signals that ask a run to stop, with the exit codes that shells give them. */
export const stopSignals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof stopSignals;

/**
 * A run was told to stop and did, at a place from which it can go on. Thrown by `train`, `testCheckpoint` and
 * `runStudy` when their `stop` signal is aborted.
 */
export class RunStopped extends Error {
  override readonly name = "RunStopped";

  constructor(
    /** The iteration from which the run goes on; null where none was stored. */
    readonly iteration: number | null,
    /** What the caller gave `AbortController.abort`. */
    readonly reason: unknown,
  ) {
    super(
      iteration === null
        ? "stopped before a checkpoint was stored"
        : `stopped, with a checkpoint after ${iteration} iterations`,
    );
  }
}

/** Thrown inside a run where it must not go on; the loop makes a {@link RunStopped} of it. */
export function checkStop(stop: AbortSignal | undefined): void {
  if (stop?.aborted === true) throw new RunStopped(null, stop.reason);
}
