import type { FinishedUpdate } from "../checkpoints/state.ts";

/** Means over the updates since the last line of the log. */
export interface MeterReading {
  readonly losses: Readonly<Record<string, number>>;
  readonly secondsPerIteration: number;
  /** 0..1 */
  readonly dataWaitShare: number;
}

/** Averages losses and times between two lines of the log. */
export class Meter {
  private updates = 0;
  private seconds = 0;
  private waited = 0;
  private sums: Record<string, number> = {};

  add({ losses, seconds }: FinishedUpdate): void {
    this.updates++;
    this.seconds += seconds.total;
    this.waited += seconds.data;
    for (const [name, value] of Object.entries(losses)) this.sums[name] = (this.sums[name] ?? 0) + value;
  }

  /** After at least one update. */
  read(): MeterReading {
    const { updates, seconds, waited, sums } = this;
    return {
      losses: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / updates])),
      secondsPerIteration: seconds / updates,
      dataWaitShare: seconds === 0 ? 0 : waited / seconds,
    };
  }

  reset(): void {
    this.updates = 0;
    this.seconds = 0;
    this.waited = 0;
    this.sums = {};
  }
}
