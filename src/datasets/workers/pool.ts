import type { Worker } from "node:worker_threads";
import { SegfuseError } from "../../errors.ts";
import { fromPlainError, toPlainError } from "../../util/plain_error.ts";
import { startThread } from "../../util/thread.ts";
import type { Dataset, Sample } from "../contracts.ts";
import { createPipeline, type SampleSource } from "../source.ts";
import { workerFailed, type Job, type Reply } from "./protocol.ts";

/** Makes samples, in the order in which they are asked for or beside each other. */
export interface SampleMaker {
  make(index: number, keys: readonly (string | number)[]): Promise<Sample>;
  close(): Promise<void>;
}

/**
 * `workers` threads; 0: in the calling thread.
 *
 * @param dataset the source's own, open in the calling thread: it names the sample that a thread died of
 */
export async function createSampleMaker(
  source: SampleSource,
  workers: number,
  dataset: Pick<Dataset, "id">,
): Promise<SampleMaker> {
  if (workers > 0) return new WorkerPool(source, workers, dataset);
  const pipeline = await createPipeline(source);
  return {
    async make(index, keys) {
      try {
        return await pipeline.run(index, keys);
      } catch (error) {
        throw fromPlainError(toPlainError(error, workerFailed, `sample ${pipeline.dataset.id(index)}`));
      }
    },
    close: () => Promise.resolve(),
  };
}

interface Pending {
  readonly index: number;
  readonly resolve: (sample: Sample) => void;
  readonly reject: (error: SegfuseError) => void;
}

/** A worker thread and the jobs that wait for it. */
class PoolWorker {
  readonly pending = new Map<number, Pending>();
  private ended: SegfuseError | null = null;
  private readonly thread: Worker;

  constructor(
    source: SampleSource,
    private readonly dataset: Pick<Dataset, "id">,
  ) {
    this.thread = startThread("./worker", import.meta.url, source);
    this.thread.on("message", (reply: Reply) => this.settle(reply));
    this.thread.on("error", (error: unknown) =>
      this.end(toPlainError(error, workerFailed).details.found ?? "an error"),
    );
    this.thread.on("messageerror", (error) => this.end(error.message));
    this.thread.on("exit", (code) => this.end(`exit code ${code}`));
    // A program that forgets to close the pool still ends.
    this.thread.unref();
  }

  make(job: Job): Promise<Sample> {
    if (this.ended !== null) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.pending.set(job.number, { index: job.index, resolve, reject });
      // While a job is under way the thread keeps the program alive.
      this.thread.ref();
      this.thread.postMessage(job);
    });
  }

  async close(): Promise<void> {
    this.end("the loader was closed");
    await this.thread.terminate();
  }

  private settle(reply: Reply): void {
    // A late one while the thread ends: what waits for that end must keep the program alive.
    if (this.ended !== null) return;
    const pending = this.pending.get(reply.number);
    this.pending.delete(reply.number);
    if (this.pending.size === 0) this.thread.unref();
    if ("error" in reply) pending?.reject(fromPlainError(reply.error));
    else pending?.resolve(reply.sample);
  }

  private end(found: string): void {
    // A worker makes one sample after the other: it was at the oldest that is still waited for.
    const [current] = this.pending.values();
    this.ended ??= new SegfuseError("SEGFUSE_DATA_WORKER", "a data worker ended unexpectedly", {
      ...(current === undefined ? {} : { where: `sample ${this.dataset.id(current.index)}` }),
      found,
    });
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}

class WorkerPool implements SampleMaker {
  private readonly workers: readonly PoolWorker[];
  private jobs = 0;

  constructor(source: SampleSource, workers: number, dataset: Pick<Dataset, "id">) {
    this.workers = Array.from({ length: workers }, () => new PoolWorker(source, dataset));
  }

  make(index: number, keys: readonly (string | number)[]): Promise<Sample> {
    const idlest = this.workers.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    return idlest.make({ number: this.jobs++, index, keys });
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}
