import { fileURLToPath } from "node:url";
import { build, loadConfig, tf, type Segmentor } from "segfuse";
import { afterAll, beforeAll, expect, it } from "vitest";

let network: Segmentor;
const images = () => tf.randomNormal<tf.Rank.R4>([2, 64, 96, 3], 0, 1, "float32", 1);

beforeAll(async () => {
  const config = new URL("../configs/softmax_fusion.yaml", import.meta.url);
  network = await build(await loadConfig(fileURLToPath(config)), { classes: 4 });
}, 120_000);
afterAll(() => network.dispose());

it("gives logits of the image's size", () => {
  expect(network.forward(images()).shape).toEqual([2, 64, 96, 4]);
});

it("weighs the levels of a position to one, at first nearly equally", () => {
  // With the batch's statistics, as training starts: the running ones of fresh weights normalise nothing yet.
  network.context.training = true;
  const gates = network.gateMaps(images());
  network.context.training = false;
  expect(gates.map(({ shape }) => shape)).toEqual(Array(4).fill([2, 16, 24, 1]));
  expect(tf.max(tf.abs(tf.sub(tf.addN(gates), 1))).dataSync()[0]).toBeLessThan(1e-6);
  for (const gate of gates) expect(tf.max(tf.abs(tf.sub(gate, 0.25))).dataSync()[0]).toBeLessThan(0.1);
});

it("trains every one of its weights", { timeout: 60_000 }, () => {
  network.context.training = true;
  const labels = tf.cast<tf.Tensor3D>(tf.randomUniform([2, 64, 96], 0, 4, "float32", 2), "int32");
  const parameters = [...network.neck.namedParameters()].filter(([, parameter]) => parameter.trainable);
  const variables = parameters.map(([, parameter]) => parameter.variable);
  const { grads } = tf.variableGrads(() => network.loss(images(), labels).total, variables);
  for (const [name, { variable }] of parameters) {
    expect(tf.max(tf.abs(grads[variable.name]!)).dataSync()[0], name).toBeGreaterThan(0);
  }
  network.context.training = false;
});
