import { stopSignals, RunStopped, type StopSignal } from "../src/runners/interruption.ts";
import type { ProgressDisplay } from "../src/util/progress_display.ts";

/** A run's stop signal, for as long as the run takes. */
export interface StopWatch {
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * The first SIGINT or SIGTERM asks the run to stop after the iteration that it is at; a second one ends the process
 * at once, even while TensorFlow computes and no JavaScript runs.
 *
 * @param todo what is done before the end
 */
export function watchStopSignals(
  display: ProgressDisplay,
  todo = "finishing the iteration and storing a checkpoint",
): StopWatch {
  const controller = new AbortController();
  const names = Object.keys(stopSignals) as StopSignal[];
  const onSignal = (name: StopSignal) => {
    if (controller.signal.aborted) process.exit(stopSignals[name]);
    controller.abort(name);
    display.plain();
    display.info(`${name}: ${todo} (once more: end at once)`);
    // Without a listener the system itself ends the process. One turn later: two signals may have come together.
    setImmediate(dispose);
  };
  const dispose = () => {
    for (const name of names) process.off(name, onSignal);
  };
  for (const name of names) process.on(name, onSignal);
  return { signal: controller.signal, dispose };
}

/**
 * Runs something that may be told to stop.
 *
 * @param workDir where it goes on
 * @returns what `run` returns; null where it was stopped, which was told, and the exit code is set
 */
export async function stoppable<T>(
  display: ProgressDisplay,
  workDir: string,
  run: (stop: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const watch = watchStopSignals(display);
  try {
    return await run(watch.signal);
  } catch (error) {
    if (!(error instanceof RunStopped)) throw error;
    display.info(`${error.message}; to go on:\n  ${resumeCommand(process.argv.slice(2), workDir)}`);
    process.exitCode = stopSignals[error.reason as StopSignal];
    return null;
  } finally {
    watch.dispose();
  }
}

/** The command line that goes on with what this one began. */
export function resumeCommand(args: readonly string[], workDir: string): string {
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === "--resume" || /^--(resume-from|work-dir)=/.test(word)) continue;
    if (word === "--resume-from" || word === "--work-dir") i++;
    else words.push(word);
  }
  const program = import.meta.url.endsWith(".ts") ? ["npm", "run", "segfuse", "--"] : ["npx", "segfuse"];
  return [...program, ...words, "--work-dir", workDir, "--resume"].map(quote).join(" ");
}

/** For a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
