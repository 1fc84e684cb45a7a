import { MultiBar, Presets, type SingleBar } from "cli-progress";
import type { Logger } from "./logger.ts";
import { columns } from "./printable.ts";
import { cutText, lineWidth } from "./terminal.ts";

/** What is shown of a piece of work at one moment. */
export interface ProgressState {
  /** What is being done, e.g. `gff (6/8) train`. */
  readonly task: string;
  readonly done: number;
  readonly total: number;
  /** Loss, time left and the like, already in words. */
  readonly details: string;
}

export interface ProgressDisplayOptions {
  /** Where to draw; default standard error. */
  readonly stream?: NodeJS.WriteStream;
  /** Seconds between two lines of the same task where the stream is no terminal; default 10. */
  readonly lineInterval?: number;
}

/** Columns of the bar where there is room for it. */
const barLength = 24;

/**
 * A progress bar on a terminal, a plain line now and then elsewhere. It is also the run's logger, so that
 * log lines appear above the bar and not in the middle of it.
 */
export class ProgressDisplay implements Logger {
  private readonly stream: NodeJS.WriteStream;
  private readonly lineInterval: number;
  private bars: MultiBar | undefined;
  private bar: SingleBar | undefined;
  private lastTask = "";
  private lastLine = -Infinity;

  constructor(options: ProgressDisplayOptions = {}) {
    this.stream = options.stream ?? process.stderr;
    this.lineInterval = options.lineInterval ?? 10;
    if (this.stream.isTTY) {
      this.bars = new MultiBar(
        {
          stream: this.stream,
          format: (_, { value, total }, { task, details }: ProgressState) =>
            barLine({ task, done: value, total, details }, lineWidth(this.stream)),
          // The terminal's modes stay as they are: Ctrl-Z, SIGQUIT and SIGKILL leave no time to set them back.
          hideCursor: false,
          linewrap: true,
          clearOnComplete: true,
          fps: 5,
          // Whoever catches the signal takes the bar off (plain).
          gracefulExit: false,
        },
        Presets.shades_classic,
      );
    }
  }

  /** False where lines are written instead of a bar. */
  get isTerminal(): boolean {
    return this.bars !== undefined;
  }

  update(state: ProgressState): void {
    if (this.bars !== undefined) this.draw(this.bars, state);
    else this.write(state);
  }

  info(message: string): void {
    if (this.bars !== undefined && this.bar !== undefined) this.bars.log(`${message}\n`);
    else this.stream.write(`${message}\n`);
  }

  warn(message: string): void {
    this.info(`warning: ${message}`);
  }

  step(message: string): void {
    if (this.bars === undefined) this.info(message);
  }

  /** Takes the bar off the terminal for good: the process may end at any moment. */
  plain(): void {
    this.stop();
    this.bars = undefined;
  }

  /** Takes the bar off the terminal; lines go on to be written plainly. */
  stop(): void {
    // Lines wait for the bar's next drawing, which never comes.
    if (this.bar !== undefined) this.bars?.update();
    this.bars?.stop();
    this.bar = undefined;
  }

  private draw(bars: MultiBar, { task, done, total, details }: ProgressState): void {
    this.bar ??= bars.create(total, done, { task, details });
    this.bar.setTotal(total);
    this.bar.update(done, { task, details });
  }

  private write({ task, done, total, details }: ProgressState): void {
    const now = performance.now() / 1000;
    const isNews = task !== this.lastTask || done === total;
    if (!isNews && now - this.lastLine < this.lineInterval) return;
    this.lastTask = task;
    this.lastLine = now;
    this.stream.write(`${task}  ${done}/${total}  ${details}\n`);
  }
}

/** Task, bar, numbers and details in one line: where it is narrow the bar goes first, then the end of the task. */
export function barLine({ task, done, total, details }: ProgressState, width: number): string {
  const rest = ` ${done}/${total} ${details}`;
  // A terminal's last column is left free: some break the line there.
  const room = width - 1 - columns(rest);
  const length = Math.min(barLength, room - columns(task) - 1);
  if (length < 4) return cutText(task, Math.max(8, room)) + rest;
  const filled = Math.round(length * Math.min(1, total > 0 ? done / total : 1));
  return `${task} ${"█".repeat(filled)}${"░".repeat(length - filled)}${rest}`;
}
