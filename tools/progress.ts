import type { ProgressCallback } from "../src/training/progress.ts";
import type { StudyProgress } from "../src/runners/study.ts";
import { formatDuration } from "../src/util/duration.ts";
import type { ProgressDisplay } from "../src/util/progress_display.ts";

/** Draws a run's progress. Without a terminal the run's own log lines tell the same of training. */
export function showRun(display: ProgressDisplay): ProgressCallback {
  return ({ phase, iteration, iterations, loss, secondsPerIteration, etaSeconds }) => {
    if (phase === "train" && !display.isTerminal) return;
    const pace = `${secondsPerIteration.toFixed(2)} s/${phase === "train" ? "iter" : "image"}`;
    const details = [...lossText(loss), pace, `${formatDuration(etaSeconds)} left`].join("  ");
    display.update({ task: phase, done: iteration, total: iterations, details });
  };
}

/** Draws a study's progress: row, iterations, loss, time left of the row and of everything. */
export function showStudy(display: ProgressDisplay): (progress: StudyProgress) => void {
  return ({ row, run, runs, phase, iteration, iterations, loss, etaSeconds, studyEtaSeconds }) => {
    const left = `${formatDuration(etaSeconds)} left, study ${formatDuration(studyEtaSeconds)}`;
    const details = [...lossText(loss), left].join("  ");
    display.update({ task: `[${run}/${runs}] ${row} ${phase}`, done: iteration, total: iterations, details });
  };
}

function lossText(loss: number | null): string[] {
  return loss === null ? [] : [`loss ${loss.toFixed(3)}`];
}
