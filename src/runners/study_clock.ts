import type { StudyRow } from "../config/study.ts";
import type { RunProgress } from "../training/progress.ts";

/**
 * Estimates how long a study still takes: the updates that are left at the newest pace of training, and one
 * evaluation a row at the newest time of one. Later rows may be larger than those measured so far, so the
 * first guesses are low.
 */
export class StudyClock {
  readonly runs: number;
  /** The current run's number, from 1. */
  run = 0;
  private secondsPerUpdate = NaN;
  private evaluationSeconds = 0;
  private readonly updates: number[];

  constructor(rows: readonly StudyRow[], seeds: number) {
    const once = rows.map((row) => (row.weightsFrom === null ? row.loaded.config.schedule.iterations : 0));
    this.updates = Array.from({ length: seeds }, () => once).flat();
    this.runs = this.updates.length;
  }

  begin(): void {
    this.run++;
  }

  /** Seconds that are left after `progress`; NaN before the first update. */
  left(progress: RunProgress): number {
    const own = this.updates[this.run - 1] ?? 0;
    if (progress.phase === "train") this.secondsPerUpdate = progress.secondsPerIteration;
    else this.evaluationSeconds = progress.secondsPerIteration * progress.iterations;
    const current =
      progress.phase === "train"
        ? (own - progress.iteration) * this.secondsPerUpdate + this.evaluationSeconds
        : progress.etaSeconds;
    const later = this.updates.slice(this.run);
    const trained = later.reduce((sum, updates) => sum + updates, 0);
    return current + trained * this.secondsPerUpdate + later.length * this.evaluationSeconds;
  }
}
