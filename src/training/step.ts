import type { NamedTensorMap, Scalar } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../datasets/contracts.ts";
import { within } from "../engine/within.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Parameter } from "../nn/parameter.ts";
import { addGradients, clipGradients, gradientsOf } from "./gradients.ts";
import type { BatchLosses, PendingUpdate } from "./hooks/contracts.ts";
import type { Optimizer } from "./optimizers/contracts.ts";
import type { Schedule } from "./schedules/contracts.ts";
import type { UpdateSeconds } from "../checkpoints/state.ts";

export interface TrainingStepInputs {
  readonly segmentor: Segmentor;
  /** The trainable parameters by name. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Learning rate that the schedule starts from. */
  readonly baseLr: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  /** Largest global norm of the gradients; null: any. */
  readonly clipNorm: number | null;
  readonly seed: number;
}

export interface StepResult {
  /** The parts of the loss by name and their sum as `loss`: means over the update's batches. */
  readonly losses: Readonly<Record<string, number>>;
  readonly lr: number;
  readonly seconds: Omit<UpdateSeconds, "total">;
}

/** One update of the network's parameters from `accumulate` batches. */
export class TrainingStep {
  constructor(private readonly inputs: TrainingStepInputs) {}

  /**
   * @param iteration the update's number, from 0
   * @param next gives the next batch
   * @param beforeStep called with the gradients before anything is updated
   */
  async run(
    iteration: number,
    next: () => Promise<Batch>,
    beforeStep: (update: PendingUpdate) => Promise<void>,
  ): Promise<StepResult> {
    const { accumulate, clipNorm, optimizer, schedule, baseLr } = this.inputs;
    const batches: BatchLosses[] = [];
    const watch = new Stopwatch();
    let gradients: NamedTensorMap = {};
    let firstSample = 0;
    try {
      for (let k = 0; k < accumulate; k++) {
        const batch = await next();
        watch.stop("data");
        const losses = this.accumulateBatch(iteration, firstSample, batch, watch, (more) => {
          gradients = addGradients(gradients, more);
        });
        watch.stop("backward");
        batches.push({ ids: batch.ids, losses });
        firstSample += batch.ids.length;
      }
      // The one place for gradients of several processes: here they would be averaged over all of them.
      const lr = schedule.rate(iteration, baseLr);
      await beforeStep({ iteration: iteration + 1, batches, gradients, lr });
      watch.skip();
      if (clipNorm !== null) gradients = clipGradients(gradients, clipNorm);
      within("optimizer", () => optimizer.apply(gradients, lr));
      watch.stop("update");
      return { losses: meanLosses(batches), lr, seconds: watch.seconds };
    } finally {
      tf.dispose(gradients);
    }
  }

  /** The losses of one batch; its share of the update's gradients goes to `add`. */
  private accumulateBatch(
    iteration: number,
    firstSample: number,
    batch: Batch,
    watch: Stopwatch,
    add: (gradients: NamedTensorMap) => void,
  ): Record<string, number> {
    const { segmentor, parameters, accumulate, seed } = this.inputs;
    const { context } = segmentor;
    const shape = [batch.ids.length, batch.height, batch.width] as const;
    const pixels = shape.reduce((product, side) => product * side, 1);
    const images = tf.tensor4d(batch.images, [...shape, batch.images.length / pixels]);
    const labels = tf.tensor3d(batch.labels, [...shape], "int32");
    const kept: Record<string, Scalar> = {};
    context.training = true;
    context.step = { seed, iteration, firstSample };
    try {
      const { value, gradients } = gradientsOf(parameters, () => {
        const { total, parts } = segmentor.loss(images, labels);
        for (const [name, part] of Object.entries({ ...parts, loss: total })) kept[name] = tf.keep(part);
        watch.stop("forward");
        return accumulate === 1 ? total : tf.mul(total, 1 / accumulate);
      });
      add(gradients);
      const values = Object.entries(kept).map(([name, part]) => [name, part.dataSync()[0]!] as const);
      // It may be one of the kept ones: not before they are read.
      value.dispose();
      return Object.fromEntries(values);
    } finally {
      context.training = false;
      tf.dispose([images, labels, kept]);
    }
  }
}

/** Sums the times of the parts of an update; each part ends when it is named. */
class Stopwatch {
  readonly seconds = { data: 0, forward: 0, backward: 0, update: 0 };
  private last = performance.now();

  stop(part: keyof Stopwatch["seconds"]): void {
    const before = this.last;
    this.skip();
    this.seconds[part] += (this.last - before) / 1000;
  }

  /** The time since the last part belongs to none. */
  skip(): void {
    this.last = performance.now();
  }
}

function meanLosses(batches: readonly BatchLosses[]): Record<string, number> {
  const means: Record<string, number> = {};
  for (const { losses } of batches) {
    for (const [name, value] of Object.entries(losses))
      means[name] = (means[name] ?? 0) + value / batches.length;
  }
  return means;
}
