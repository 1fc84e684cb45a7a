import type { Worker } from "node:worker_threads";
import type { SegfuseError } from "../errors.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Refusable } from "../util/file_system.ts";
import type { Logger } from "../util/logger.ts";
import { fromPlainError, toPlainError } from "../util/plain_error.ts";
import { startThread } from "../util/thread.ts";
import type { CheckpointJob, FinishedCheckpoint, TensorCopy } from "./state.ts";
import type { StoreReply } from "./worker.ts";

/** The parameters' values at this moment: training may go on while they are written. */
export function copyTensors(
  parameters: Iterable<readonly [name: string, parameter: Parameter]>,
): TensorCopy[] {
  return Array.from(parameters, ([name, { layout, shape, variable }]) => ({
    name,
    layout,
    shape,
    // Engines may give the tensor's own memory.
    values: new Float32Array(variable.dataSync()),
  }));
}

/** Where a run's checkpoints go. */
export interface CheckpointSink {
  /**
   * Begins to write a checkpoint; the one before must be finished.
   *
   * @param job its values are given away: they are empty afterwards
   */
  write(job: CheckpointJob): void;
  /** What became whole since this was last asked. @throws SegfuseError why a checkpoint could not be written */
  takeStored(): FinishedCheckpoint[];
  /** Waits until everything is written. @throws SegfuseError why something could not be */
  finish(): Promise<void>;
  /** Waits for what is being written, and ends. What went wrong is not told any more. */
  close(): Promise<void>;
}

/**
 * Writes checkpoints in a thread of its own, one after the other: reordering, hashing and waiting for the disk take
 * longer than an update, and the updates go on meanwhile.
 */
export class CheckpointWriter implements CheckpointSink {
  private thread: Worker | undefined;
  private current: Promise<void> = Promise.resolve();
  private stored: FinishedCheckpoint[] = [];
  private failure: SegfuseError | null = null;
  private readonly warned = new Set<Refusable>();
  /** Ends the job that is under way. */
  private settle: (reply: StoreReply) => void = () => {};

  /** @param logger is warned, once, of each thing that the checkpoints' file system refuses */
  constructor(private readonly logger: Logger) {}

  write(job: CheckpointJob): void {
    this.current = this.run(job);
  }

  takeStored(): FinishedCheckpoint[] {
    if (this.failure !== null) throw this.failure;
    const stored = this.stored;
    this.stored = [];
    return stored;
  }

  async finish(): Promise<void> {
    await this.current;
    if (this.failure !== null) throw this.failure;
  }

  async close(): Promise<void> {
    await this.current;
    await this.thread?.terminate();
    this.thread = undefined;
  }

  private async run(job: CheckpointJob): Promise<void> {
    const { iteration, best } = job.state;
    try {
      const folder = await this.store(job);
      this.stored.push({ iteration, folder, isBest: best?.iteration === iteration });
    } catch (error) {
      this.failure = error as SegfuseError;
    } finally {
      this.thread?.unref();
    }
  }

  private store(job: CheckpointJob): Promise<string> {
    const thread = (this.thread ??= this.start());
    // The program does not end before the checkpoint is whole.
    thread.ref();
    const memory = job.files.flatMap(({ tensors }) => tensors.map(({ values }) => values.buffer));
    return new Promise((resolve, reject) => {
      this.settle = (reply) => {
        if ("error" in reply) reject(fromPlainError(reply.error));
        else if ("folder" in reply) resolve(reply.folder);
      };
      thread.postMessage(job, [...new Set(memory)]);
    });
  }

  private warn(operation: Refusable, reason: string): void {
    if (this.warned.has(operation)) return;
    this.warned.add(operation);
    this.logger.warn(
      `the work folder's file system refuses ${operation} (${reason}): ${warnings[operation]}`,
    );
  }

  private start(): Worker {
    const thread = startThread("./worker", import.meta.url);
    const died = (reason: string) => {
      this.thread = undefined;
      this.settle({
        error: toPlainError(reason, {
          code: "SEGFUSE_CHECKPOINT_WRITE",
          message: "the thread that writes checkpoints ended",
        }),
      });
    };
    thread.on("message", (reply: StoreReply) => {
      if ("refused" in reply) this.warn(reply.refused, reply.reason);
      else this.settle(reply);
    });
    thread.on("error", (error) => died(error instanceof Error ? error.message : String(error)));
    thread.on("exit", (code) => died(`exit code ${code}`));
    return thread;
  }
}

const warnings: Readonly<Record<Refusable, string>> = {
  fsync: "checkpoints are written without it, and a loss of power may damage the newest ones",
  rename:
    "checkpoints are copied into their place, and one that a kill interrupts is damaged; --resume passes over such",
  removal: "old checkpoints stay until they can be removed",
};
