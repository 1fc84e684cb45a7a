import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, it } from "vitest";
import type { EvaluationSample } from "../../src/datasets/contracts.ts";
import type { EvaluationOptions, EvaluationSource } from "../../src/evaluation/contracts.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { createMetrics } from "../../src/evaluation/metric_list.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/index.ts";
import { createRegistry } from "../../src/builtin.ts";
import { useEngine } from "../helpers/engine.ts";
import { fixturePath, inTorchOrder, featureMap, readFixture, recipe, stored } from "../helpers/fixtures.ts";
import { LinearNetwork } from "./linear_network.ts";

beforeAll(() => useEngine());

const fixture = readFixture(fixturePath("evaluation.safetensors"));
const classes = ["a", "b", "c", "d", "e"];
const options: EvaluationOptions = {
  mode: "whole",
  window: null,
  stride: [9, 13],
  scales: [1],
  flip: false,
};
const metricsOf = (...names: string[]) => createMetrics(createRegistry(), names, { classes });
const makeNetwork = () => new LinearNetwork(stored(fixture, "weight"), stored(fixture, "bias"), false);

/** The fixture's two images, then `more` of another size; labels are PyTorch's answers with every 7th pixel ignored. */
function source(more: number, label?: Uint8Array): EvaluationSource {
  const images = tf.tidy(() => featureMap(stored(fixture, "images")).unstack());
  const answers = stored(fixture, "classes.whole_centres").values;
  const known = images.map((image, i): EvaluationSample => {
    const answer = answers.subarray(i * 33 * 45, (i + 1) * 33 * 45);
    return {
      index: i,
      id: `known_${i}`,
      height: 30,
      width: 38,
      image: image.dataSync<"float32">().slice(),
      labelHeight: 33,
      labelWidth: 45,
      label: label ?? Uint8Array.from(answer, (c, k) => (k % 7 === 0 ? 255 : c)),
    };
  });
  tf.dispose(images);
  const others = Array.from({ length: more }, (_, i): EvaluationSample => ({
    index: 2 + i,
    id: `other_${i}`,
    height: 20,
    width: 24,
    image: recipe(`other_${i}`, 20 * 24 * 3, -1, 1),
    labelHeight: 20,
    labelWidth: 24,
    label: Uint8Array.from(recipe(`label_${i}`, 20 * 24, 0, 4)),
  }));
  const samples = [...known, ...others];
  return {
    length: samples.length,
    info: { classes, palette: classes.map((_, i) => [i, i, i] as const), ignoreIndex: 255 },
    // eslint-disable-next-line @typescript-eslint/require-await
    samples: async function* () {
      yield* samples;
    },
  };
}

it("scores a network whose answers are known", async () => {
  const network = makeNetwork();
  network.context.training = true;
  const seen: string[] = [];
  const result = await evaluate({
    segmentor: network,
    loader: source(0),
    options,
    metrics: metricsOf("mBIoU"),
    cropSize: [14, 18],
    onImage: ({ sample, done, total, prediction }) => {
      seen.push(`${sample.id} ${done}/${total} ${prediction.length}`);
    },
  });
  expect(seen).toEqual(["known_0 1/2 1485", "known_1 2/2 1485"]);
  expect(result.metrics).toMatchObject({ mIoU: 1, aAcc: 1, mBIoU: 1 });
  expect(result.pixels).toBe(2 * 1485 - 2 * 213);
  expect(result.ignoredPixels).toBe(2 * 213);
  expect(result.images).toBe(2);
  expect(network.modes).toEqual([false, false]);
  expect(network.context.training).toBe(true);
  network.dispose();
});

it("batches of images of one size give the same counts as one image at a time", async () => {
  const network = makeNetwork();
  const inputs = { segmentor: network, options, metrics: metricsOf(), cropSize: [14, 18] } as const;
  const one = await evaluate({ ...inputs, loader: source(5) });
  expect(network.batchSizes).toEqual([1, 1, 1, 1, 1, 1, 1]);
  network.batchSizes.length = 0;
  const four = await evaluate({ ...inputs, loader: source(5), batchSize: 4 });
  expect(network.batchSizes).toEqual([2, 4, 1]);
  expect(four.confusion).toEqual(one.confusion);
  expect(one.perClass[0]!.BIoU).toBeUndefined();
  network.dispose();
});

it("keeps no tensors, whatever the number of images", async () => {
  const network = makeNetwork();
  const before = tf.memory();
  for (const mode of ["whole", "slide"] as const) {
    await evaluate({
      segmentor: network,
      loader: source(40),
      options: { ...options, mode, flip: true },
      metrics: metricsOf(),
      cropSize: [14, 16],
    });
  }
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
  network.dispose();
});

it("a label that is no class ends the evaluation and gives the network its mode back", async () => {
  const network = makeNetwork();
  network.context.training = true;
  const before = tf.memory().numTensors;
  const label = new Uint8Array(33 * 45).fill(9);
  const run = evaluate({
    segmentor: network,
    loader: source(0, label),
    options,
    metrics: metricsOf(),
    cropSize: [14, 18],
  });
  await expect(run).rejects.toMatchObject({ code: "SEGFUSE_LABEL_VALUE" });
  expect(network.context.training).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
  network.dispose();
});

it("the fixture's images are in the order that the tests assume", () => {
  const { values, shape } = stored(fixture, "images");
  expect(shape).toEqual([2, 3, 30, 38]);
  const map = featureMap(stored(fixture, "images"));
  expect(inTorchOrder(map)).toEqual(values);
  map.dispose();
});

it("counts the loss of the logits, each image by its labelled pixels", async () => {
  const network = makeNetwork();
  const { values } = stored(fixture, "logits.slide_centres"); // PyTorch's, [2, 5, 30, 38]
  const label = Uint8Array.from(recipe("loss", 30 * 38, 0, 5), (c, k) => (k % 5 === 0 ? 255 : Math.floor(c)));
  const plain = source(0);
  const sized: EvaluationSource = {
    ...plain,
    samples: async function* () {
      for await (const sample of plain.samples()) {
        // of the second image a third of the rows has a label, of a third image nothing
        const own = label.map((c, k) => (sample.index === 1 && k >= 10 * 38 ? 255 : c));
        yield { ...sample, labelHeight: 30, labelWidth: 38, label: own };
        if (sample.index === 1)
          yield { ...sample, labelHeight: 30, labelWidth: 38, label: label.map(() => 255) };
      }
    },
  };
  let sum = 0;
  let pixels = 0;
  for (const i of [0, 1]) {
    for (const [k, c] of label.entries()) {
      if (c === 255 || (i === 1 && k >= 10 * 38)) continue;
      const logits = classes.map((_, n) => values[(i * 5 + n) * 30 * 38 + k]!);
      sum += Math.log(logits.reduce((total, x) => total + Math.exp(x), 0)) - logits[c]!;
      pixels++;
    }
  }
  const slide: EvaluationOptions = { ...options, mode: "slide", window: [14, 18] };
  const loss = (logits: tf.Tensor4D, labels: tf.Tensor3D) =>
    softmaxCrossEntropy(logits, labels, { ignoreIndex: 255, avgNonIgnore: true });
  const before = tf.memory().numTensors;
  for (const batchSize of [1, 3]) {
    const inputs = {
      segmentor: network,
      loader: sized,
      options: slide,
      metrics: metricsOf(),
      cropSize: [8, 8] as const,
      batchSize,
    };
    const result = await evaluate({ ...inputs, loss });
    expect(result.loss).toBeCloseTo(sum / pixels, 5);
    // other scales have other logits, the loss is that of the image as it is
    const views = { ...slide, scales: [0.5, 1.25], flip: true };
    expect((await evaluate({ ...inputs, options: views, loss })).loss).toBeCloseTo(sum / pixels, 5);
    expect((await evaluate(inputs)).loss).toBeNull();
  }
  expect(tf.memory().numTensors).toBe(before);
});
