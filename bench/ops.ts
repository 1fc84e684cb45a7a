/**
 * Times forward, dx and dW of a segmentation network's typical layers on the native engine, beside PyTorch
 * eager on the same machine (bench/ops_torch.py, where a `python3` with torch is found):
 *
 *     npx tsx bench/ops.ts [repetitions]
 *
 * Ratios above 1: PyTorch takes longer. On a busy machine that of processor time is the one to read.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { openEngine } from "../src/engine/engine.ts";
import { conv2dInputGradient, conv2dKernelGradient } from "../src/engine/gradients/conv2d.ts";
import { convGeometry } from "../src/engine/gradients/convolution.ts";
import { depthwiseInputGradient, depthwiseKernelGradient } from "../src/engine/gradients/depthwise_conv2d.ts";
import * as ops from "../src/engine/ops/index.ts";
import { interleaved, type Timing } from "./timing.ts";

const repetitions = Number(process.argv[2] ?? 9);
const engine = await openEngine({ type: "tensorflow", threads: null });

/** name, [batch, size, in, out], kernel, stride, dilation; out 0: depthwise. Also in bench/ops_torch.py. */
const layers = [
  ["3x3 256", [4, 32, 256, 256], 3, 1, 1],
  ["3x3 256 dilation 2", [4, 32, 256, 256], 3, 1, 2],
  ["3x3 128 stride 2", [4, 64, 128, 128], 3, 2, 1],
  ["1x1 1024-256", [4, 32, 1024, 256], 1, 1, 1],
  ["depthwise 576", [8, 20, 576, 0], 3, 1, 1],
  ["depthwise 576 dilation 2", [8, 20, 576, 0], 3, 1, 2],
] as const;

const candidates: Record<string, () => unknown> = {};
for (const [name, [batch, size, inputs, outputs], k, stride, dilation] of layers) {
  const depthwise = outputs === 0;
  const padding = (dilation * (k - 1)) / 2;
  const x: Tensor4D = tf.randomNormal([batch, size, size, inputs]);
  const kernel: Tensor4D = tf.randomNormal([k, k, inputs, depthwise ? 1 : outputs]);
  const forward = depthwise ? ops.depthwiseConv2d : ops.conv2d;
  const dy: Tensor4D = tf.randomNormal(forward(x, kernel, { stride, padding, dilation }).shape);
  const border: [number, number] = [padding, padding];
  const geometry = convGeometry(
    x.shape,
    kernel.shape,
    {
      strides: stride,
      dilations: dilation,
      pad: [[0, 0], border, border, [0, 0]],
      dataFormat: "NHWC",
    },
    depthwise,
  );
  candidates[`${name} forward`] = () => forward(x, kernel, { stride, padding, dilation });
  candidates[`${name} dx`] = () =>
    (depthwise ? depthwiseInputGradient : conv2dInputGradient)(x.shape, kernel, dy, geometry);
  candidates[`${name} dW`] = () =>
    (depthwise ? depthwiseKernelGradient : conv2dKernelGradient)(x, kernel.shape, dy, geometry);
}
const map: Tensor4D = tf.randomNormal([4, 64, 64, 256]);
const weight: Tensor1D = tf.ones([256]);
const bias: Tensor1D = tf.zeros([256]);
const normalise = (x: Tensor4D) =>
  ops.batchNormTraining(x, { weight, bias, epsilon: 1e-5, activation: "relu" }).y;
candidates["batch norm + ReLU forward"] = () => normalise(map);
candidates["batch norm + ReLU forward and backward"] = () =>
  tf.grads(
    (x, w, b) =>
      ops.batchNormTraining(x as Tensor4D, {
        weight: w as Tensor1D,
        bias: b as Tensor1D,
        epsilon: 1e-5,
        activation: "relu",
      }).y,
  )([map, weight, bias], map);
const small: Tensor4D = tf.randomNormal([2, 64, 64, 19]);
candidates["resize 64 to 512, 19 classes"] = () => ops.resizeBilinear(small, [512, 512], false);
const variable = tf.variable(tf.randomNormal([3, 3, 512, 512]));
const accumulator = tf.variable(tf.zeros([3, 3, 512, 512]));
const gradient = tf.randomNormal([3, 3, 512, 512]);
candidates["SGD step, 2.4 M"] = () =>
  ops.sgdMomentumUpdate(variable, accumulator, gradient, {
    learningRate: 1e-3,
    momentum: 0.9,
    weightDecay: 1e-4,
    nesterov: false,
  });

const ours = interleaved(candidates, repetitions);
const script = fileURLToPath(new URL("ops_torch.py", import.meta.url));
const torch = spawnSync("python3", [script, String(repetitions)], { encoding: "utf8" });
const theirs = (torch.status === 0 ? JSON.parse(torch.stdout) : {}) as Record<string, Timing>;

console.log(`TensorFlow ${engine.version}, ${engine.device}; medians of ${repetitions}, in ms`);
console.log(
  `${"".padEnd(40)}${["wall", "cpu", "torch wall", "torch cpu", "wall ratio", "cpu ratio"].map(column).join("")}`,
);
for (const [name, { wall, cpu }] of Object.entries(ours)) {
  const other = theirs[name];
  const numbers =
    other === undefined
      ? [wall, cpu]
      : [wall, cpu, other.wall, other.cpu, other.wall / wall, other.cpu / cpu];
  console.log(`${name.padEnd(40)}${numbers.map((n) => column(n.toFixed(2))).join("")}`);
}
if (torch.status !== 0) console.log("no python3 with torch: nothing to compare with");

function column(text: string): string {
  return text.padStart(12);
}
