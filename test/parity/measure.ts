import * as tf from "@tensorflow/tfjs";
import type { Batch } from "../../src/datasets/contracts.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import type { Segmentor } from "../../src/models/segmentor.ts";
import type { Parameter } from "../../src/nn/parameter.ts";
import { gradientsOf } from "../../src/training/gradients.ts";
import sgd from "../../src/training/optimizers/sgd.ts";
import poly from "../../src/training/schedules/poly.ts";
import { TrainingStep } from "../../src/training/step.ts";
import { toFileOrder } from "../../src/weights/layout.ts";
import { inTorchOrder, recipe } from "../helpers/fixtures.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";
import type { Job, Measurements, Quantity } from "./job.ts";
import { trainableParameters } from "../../src/training/initial_weights.ts";

const ignoreIndex = 255;

type Values = Map<string, Float32Array>;
type Found = Map<Quantity, Values>;

/** The job's network, without values. */
export function networkOf({ model, classes }: Job, options: { normEval: boolean }): Segmentor {
  const components = componentsWith();
  const auxiliary = model.auxiliary_head;
  const resolved = resolvedModel(components, {
    ...model,
    backbone: { ...model.backbone, norm_eval: options.normEval },
    auxiliary_head: auxiliary && {
      type: "fcn",
      ...auxiliary,
      losses: [{ type: "cross_entropy", weight: 0.4 }],
    },
  });
  return buildSegmentor(resolved, { numClasses: classes, ignoreIndex }, components);
}

/**
 * Carries a job out with segfuse's own network, training step, optimiser and schedule.
 *
 * @param fill gives a network the weights that the job starts from
 */
export async function measure(
  job: Job,
  fill: (segmentor: Segmentor) => Promise<void> | void,
): Promise<Measurements> {
  const found: Found = new Map();
  const segmentor = networkOf(job, { normEval: false });
  try {
    await fill(segmentor);
    evaluate(job, segmentor, found);
    passOnce(job, segmentor, found);
  } finally {
    segmentor.dispose();
  }
  const updated = networkOf(job, { normEval: job.sgd.norm_eval });
  try {
    await fill(updated);
    await update(job, updated, found);
  } finally {
    updated.dispose();
  }
  return found;
}

function evaluate(job: Job, segmentor: Segmentor, found: Found): void {
  tf.tidy(() => {
    const logits = segmentor.forward(
      tf.tensor4d(imageValues(job, `image${job.draw}`, job.eval), [...job.eval, 3]),
    );
    found.set("eval.logits", new Map([["logits", inTorchOrder(logits)]]));
  });
}

/** Forward and backward, normalised by the batch throughout. */
function passOnce(job: Job, segmentor: Segmentor, found: Found): void {
  const { context } = segmentor;
  const { images, labels, height, width } = batch(job, 0);
  const shape = [job.train[0], height, width] as const;
  const parameters = trainableParameters(segmentor);
  const losses: Values = new Map();
  const read = (loss: tf.Scalar) => Float32Array.from(loss.dataSync<"float32">());
  context.training = true;
  context.step = { seed: job.seed, iteration: 0, firstSample: 0 };
  tf.tidy(() => {
    const input = tf.tensor4d(images, [...shape, 3]);
    const target = tf.tensor3d(labels, [...shape], "int32");
    const { gradients } = gradientsOf(parameters, () => {
      const { total, parts } = segmentor.loss(input, target);
      for (const [name, part] of Object.entries(parts)) losses.set(partName(name), read(part));
      losses.set("total", read(total));
      return total;
    });
    found.set("losses", losses);
    const byName = Object.entries(gradients);
    found.set("gradients", new Map(byName.map(([n, g]) => [n, inFileOrder(parameters.get(n)!, g)])));
    found.set("running", values(runningStatistics(segmentor)));
    // Once more, for `loss` does not hand its logits on.
    const { logits, auxiliary } = segmentor.forwardTraining(input);
    found.set("train.logits", new Map([["logits", inTorchOrder(logits)]]));
    if (auxiliary.length > 0)
      found.set("train.auxiliary", new Map(auxiliary.map((map, i) => [`${i}`, inTorchOrder(map)])));
  });
  context.training = false;
}

async function update(job: Job, segmentor: Segmentor, found: Found): Promise<void> {
  const { lr, momentum, weight_decay, power, iterations, steps } = job.sgd;
  const parameters = trainableParameters(segmentor);
  const start = values(parameters);
  const sgdOptions = { momentum, weight_decay, nesterov: false, norm_bias_decay: true, paramwise: [] };
  const polyOptions = { power, iterations, min_lr: 0, warmup: { iterations: 0, ratio: 1 } };
  const optimizer = sgd.create(sgdOptions, { parameters });
  const step = new TrainingStep({
    segmentor,
    parameters,
    optimizer,
    schedule: poly.create(polyOptions),
    baseLr: lr,
    accumulate: 1,
    clipNorm: null,
    seed: job.seed,
  });
  const losses: Values = new Map();
  try {
    for (let t = 0; t < steps; t++) {
      const result = await step.run(
        t,
        () => Promise.resolve(batch(job, t)),
        () => Promise.resolve(),
      );
      for (const [name, value] of Object.entries(result.losses))
        losses.set(`${t}.${partName(name)}`, Float32Array.of(value));
    }
  } finally {
    optimizer.dispose();
  }
  const changes = values(parameters);
  for (const [name, after] of changes) for (const [i, w] of start.get(name)!.entries()) after[i]! -= w;
  found.set("updates.losses", losses);
  found.set("updates.changes", changes);
  found.set("updates.running", values(runningStatistics(segmentor)));
}

/** `decode.loss_ce` → `decode`, the runner's `loss` → `total`. */
function partName(name: string): string {
  return name === "loss" ? "total" : name.replace(/\.loss_ce$/, "");
}

/** A quarter or so of the pixels is ignored. */
function batch(job: Job, t: number): Batch {
  const { classes, draw } = job;
  const [count, height, width] = job.train;
  const pixels = count * height * width;
  const drawn = recipe(`labels.${t}${draw}`, pixels, 0, (classes * 4) / 3);
  return {
    ids: Array.from({ length: count }, (_, i) => `${t}.${i}`),
    height,
    width,
    images: imageValues(job, `image.${t}${draw}`, job.train),
    labels: Int32Array.from(drawn, (label) => (label < classes ? Math.floor(label) : ignoreIndex)),
  };
}

/** Noise, as `image` of quantities.py makes it: [batch, height, width, 3]. */
function imageValues(job: Job, name: string, [count, height, width]: Job["eval"]): Float32Array {
  const noise = recipe(name, count * height * width * 3, -1, 1);
  if (job.offsets !== true) return noise;
  const offsets = recipe(`offset/${name}`, count * 3, -1, 1);
  return noise.map((value, i) => value / 2 + offsets[Math.floor(i / (height * width * 3)) * 3 + (i % 3)]!);
}

function runningStatistics(segmentor: Segmentor): Map<string, Parameter> {
  return new Map([...segmentor.namedParameters()].filter(([, { role }]) => role.startsWith("running_")));
}

function values(parameters: ReadonlyMap<string, Parameter>): Values {
  return new Map([...parameters].map(([name, of]) => [name, inFileOrder(of, of.variable)]));
}

/** A copy in PyTorch's order. */
function inFileOrder({ layout, shape }: Parameter, tensor: tf.Tensor): Float32Array {
  return toFileOrder(layout, shape, Float32Array.from(tensor.dataSync<"float32">()));
}
