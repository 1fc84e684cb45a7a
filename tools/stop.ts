import { stopSignals, RunStopped, type StopSignal } from "../src/util/interruption.ts";
import { isHangupIgnored } from "../src/util/hangup.ts";
import type { ProgressDisplay } from "../src/util/progress_display.ts";

/** A run's stop signal, for as long as the run takes. */
export interface StopWatch {
  readonly signal: AbortSignal;
  dispose(): void;
}

/** For so long after the first signal a further one counts as the same request; milliseconds. */
const oneRequest = 1000;

/** How often a run looks whether the npm that started it is still there; milliseconds. */
const parentInterval = 500;

/**
 * The first SIGINT, SIGTERM or SIGHUP asks the run to stop after the iteration that it is at; one that comes more
 * than a second later ends the process at once, even while TensorFlow computes and no JavaScript runs. SIGHUP is left
 * alone under `nohup`.
 *
 * One request often comes as several signals: a terminal sends Ctrl-C to npm and to us, and npm sends us its own once
 * more; `timeout` signals its child and then the whole group; a closed terminal sends SIGHUP itself, and its shell
 * again.
 *
 * @param todo what is done before the end
 */
export function watchStopSignals(
  display: ProgressDisplay,
  todo = "finishing the iteration and storing a checkpoint",
): StopWatch {
  const controller = new AbortController();
  const isDeaf = isHangupIgnored();
  const names = (Object.keys(stopSignals) as StopSignal[]).filter((name) => !isDeaf || name !== "SIGHUP");
  const stop = (name: StopSignal, reason: string) => {
    if (controller.signal.aborted) return;
    controller.abort(name);
    display.plain();
    display.info(`${reason}: ${todo} (once more: end at once)`);
    // Waits here, since a timer would not come while TensorFlow computes: what arrives meanwhile goes with the
    // listeners, and without listeners the system itself ends the process.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, oneRequest);
    dispose();
  };
  const onSignal = (name: StopSignal) => stop(name, name);
  const parent = watchParent(isDeaf, () => stop("SIGTERM", "npm has ended"));
  const dispose = () => {
    clearInterval(parent);
    for (const name of names) process.off(name, onSignal);
  };
  for (const name of names) process.on(name, onSignal);
  return { signal: controller.signal, dispose };
}

/**
 * npm hands on SIGINT and SIGTERM alone, and between `npx` and us is a shell that dies of them and says nothing: where
 * our parent is gone, it was told to stop. What was started otherwise, or under `nohup`, outlives its parent.
 */
function watchParent(isDeaf: boolean, onEnd: () => void): NodeJS.Timeout | undefined {
  const { npm_lifecycle_event: event, npm_package_name: packageName } = process.env;
  if (isDeaf || (event !== "npx" && packageName !== "segfuse")) return undefined;
  const parent = process.ppid;
  // A signal that ended npm may be ours as well: it has the first word.
  const look = () => process.ppid !== parent && setImmediate(onEnd);
  return setInterval(look, parentInterval).unref();
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
