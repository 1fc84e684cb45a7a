import type { NamedTensorMap, Scalar } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../datasets/contracts.ts";
import { SegfuseError } from "../errors.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Optimizer, Schedule } from "./contracts.ts";
import { addGradients, clipGradients, gradientsOf } from "./gradients.ts";

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
}

/** One update of the network's parameters from `accumulate` batches. */
export class TrainingStep {
  constructor(private readonly inputs: TrainingStepInputs) {}

  /**
   * @param iteration the update's number, from 0
   * @param next gives the next batch
   * @throws SegfuseError `SEGFUSE_LOSS_NOT_FINITE` before anything is updated
   */
  async run(iteration: number, next: () => Promise<Batch>): Promise<StepResult> {
    const { accumulate, clipNorm, optimizer, schedule, baseLr } = this.inputs;
    const losses: Record<string, number> = {};
    let gradients: NamedTensorMap = {};
    let firstSample = 0;
    try {
      for (let k = 0; k < accumulate; k++) {
        const batch = await next();
        const parts = this.accumulateBatch(iteration, firstSample, batch, (more) => {
          gradients = addGradients(gradients, more);
        });
        for (const [name, value] of Object.entries(parts))
          losses[name] = (losses[name] ?? 0) + value / accumulate;
        checkFinite(parts, iteration, batch);
        firstSample += batch.ids.length;
      }
      // The one place for gradients of several processes: here they would be averaged over all of them.
      if (clipNorm !== null) gradients = clipGradients(gradients, clipNorm);
      const lr = schedule.rate(iteration, baseLr);
      optimizer.apply(gradients, lr);
      return { losses, lr };
    } finally {
      tf.dispose(gradients);
    }
  }

  /** The losses of one batch; its share of the update's gradients goes to `add`. */
  private accumulateBatch(
    iteration: number,
    firstSample: number,
    batch: Batch,
    add: (gradients: NamedTensorMap) => void,
  ): Record<string, number> {
    const { segmentor, parameters, accumulate, seed } = this.inputs;
    const { context } = segmentor;
    const shape = [batch.ids.length, batch.height, batch.width] as const;
    const images = tf.tensor4d(batch.images, [...shape, 3]);
    const labels = tf.tensor3d(batch.labels, [...shape], "int32");
    const kept: Record<string, Scalar> = {};
    context.training = true;
    context.step = { seed, iteration, firstSample };
    try {
      const { value, gradients } = gradientsOf(parameters, () => {
        const { total, parts } = segmentor.loss(images, labels);
        for (const [name, part] of Object.entries({ ...parts, loss: total })) kept[name] = tf.keep(part);
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

/** A loss that is no number never recovers: momentum and running statistics carry it on. */
function checkFinite(parts: Readonly<Record<string, number>>, iteration: number, batch: Batch): void {
  if (Object.values(parts).every(Number.isFinite)) return;
  throw new SegfuseError("SEGFUSE_LOSS_NOT_FINITE", `the loss of iteration ${iteration + 1} is not finite`, {
    found: Object.entries(parts)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    where: `samples ${batch.ids.join(", ")}`,
    advice: "a lower optimizer.lr, schedule.warmup or optimizer.clip_norm",
  });
}
