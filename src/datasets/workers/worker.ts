import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { toPlainError } from "../../util/plain_error.ts";
import type { LabelData } from "../contracts.ts";
import type { Pipeline } from "../pipeline.ts";
import { createPipeline, type SampleSource } from "../source.ts";
import { workerFailed, type Job, type Reply } from "./protocol.ts";

// A data worker: makes the samples it is told to, one after the other, and gives their memory away.

// The training step has the right of way. On Linux the priority is the calling thread's own; elsewhere it would be the whole process's.
if (process.platform === "linux") setPriority(0, 5);
// One image is one thread's work: the workers are what runs beside each other.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
const pipeline = createPipeline(workerData as SampleSource);
// A failure to start is told with each job, and must not end the thread before.
pipeline.catch(() => {});

let last: Promise<void> = Promise.resolve();
port.on("message", (job: Job) => {
  last = last.then(() => answer(job));
});

async function answer({ number, index, keys }: Job): Promise<void> {
  let ready: Pipeline | undefined;
  try {
    ready = await pipeline;
    const sample = await ready.run(index, keys);
    const image = alone(sample.image);
    const label = alone(sample.label);
    port.postMessage({ number, sample: { ...sample, image, label } } satisfies Reply, [
      image.buffer,
      label.buffer,
    ]);
  } catch (error) {
    const where = ready === undefined ? undefined : `sample ${ready.dataset.id(index)}`;
    port.postMessage({ number, error: toPlainError(error, workerFailed, where) } satisfies Reply);
  }
}

/** The array itself where it fills its buffer, so that the buffer can be given away; else a copy. */
function alone<T extends Float32Array | LabelData>(array: T): T & { buffer: ArrayBuffer } {
  const whole = array.byteLength === array.buffer.byteLength;
  // Uint8Array.from and not slice: a Buffer's slice is a view.
  const copy = () => (array instanceof Uint8Array ? Uint8Array.from(array) : array.slice()) as T;
  return (whole ? array : copy()) as T & { buffer: ArrayBuffer };
}
