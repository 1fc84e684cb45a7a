import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineType } from "../../../src/engine/engine.ts";
import { useEngine } from "../../helpers/engine.ts";
import { expectNumericGradients } from "./numeric.ts";

/** What plug-ins call: TensorFlow.js's own functions, with padding as TensorFlow.js names it. */
describe.each<EngineType>(["tensorflow", "wasm", "cpu"])("plain TensorFlow.js on %s", (engine) => {
  let x: tf.Tensor4D;
  let kernel: tf.Tensor4D;
  beforeAll(async () => {
    await useEngine(engine);
    x = tf.randomNormal([2, 7, 10, 3], 0, 1, "float32", 3);
    kernel = tf.randomNormal([3, 3, 3, 2], 0, 1, "float32", 4);
  });
  afterAll(() => tf.dispose([x, kernel]));

  it.each([
    [1, "same", 1],
    [1, "valid", 1],
    [2, "same", 1],
    [2, "valid", 1],
    [1, "same", 2],
    [1, "valid", 3],
  ] as const)(
    "differentiates convolutions of stride %d, padding %s, dilation %d",
    (stride, pad, dilation) => {
      for (const convolve of [tf.conv2d, tf.depthwiseConv2d])
        expectNumericGradients(
          (a, k) => convolve(a as tf.Tensor4D, k as tf.Tensor4D, stride, pad, "NHWC", dilation),
          [x, kernel],
        );
    },
  );

  // oneDNN's own gradient of it writes past the end of its memory: wrong values, or the process dies.
  it("differentiates strided 1×1 convolutions of few channels", () => {
    const wide = tf.randomNormal<tf.Rank.R4>([3, 16, 12, 4], 0, 1, "float32", 6);
    const one = tf.randomNormal<tf.Rank.R4>([1, 1, 4, 8], 0, 1, "float32", 7);
    const read = tf.stridedSlice(wide, [0, 0, 0, 0], wide.shape, [1, 2, 2, 1]);
    for (let i = 0; i < 50; i++) {
      tf.tidy(() => {
        const dy = tf.randomNormal<tf.Rank.R4>([3, 8, 6, 8], 0, 1, "float32", 8 + i);
        const gradient = tf.grad((k) => tf.conv2d(wide, k as tf.Tensor4D, 2, "valid"))(one, dy);
        const expected = tf.matMul(tf.reshape(read, [-1, 4]), tf.reshape(dy, [-1, 8]), true);
        const error = tf.max(tf.abs(tf.sub(tf.reshape(gradient, [4, 8]), expected))).dataSync()[0];
        expect(error).toBeLessThan(1e-4);
      });
    }
    tf.dispose([wide, one, read]);
  });

  it("differentiates convolutions of even kernels with same padding", () => {
    const even = tf.randomNormal<tf.Rank.R4>([2, 4, 3, 2], 0, 1, "float32", 5);
    for (const convolve of [tf.conv2d, tf.depthwiseConv2d])
      expectNumericGradients((a, k) => convolve(a as tf.Tensor4D, k as tf.Tensor4D, 1, "same"), [x, even]);
    even.dispose();
  });

  it.each([
    [true, false],
    [false, true],
    [false, false],
  ])("differentiates bilinear resizes: aligned corners %s, half-pixel centres %s", (aligned, half) => {
    for (const size of [
      [13, 4],
      [3, 21],
    ] as [number, number][])
      expectNumericGradients((a) => tf.image.resizeBilinear(a as tf.Tensor4D, size, aligned, half), [x]);
  });

  it("differentiates max pooling", () => {
    for (const pad of ["same", "valid"] as const) {
      // Values far apart, so that no step changes a maximum.
      const apart = tf.tidy(() => {
        const order = tf.util.createShuffledIndices(x.size);
        return tf.reshape(tf.mul(tf.tensor1d([...order]), 1), x.shape);
      });
      expectNumericGradients((a) => tf.maxPool(a as tf.Tensor4D, 3, 2, pad), [apart]);
      apart.dispose();
    }
  });

  it("differentiates batch norm by all it takes (without a scale, TF.js cannot record it)", () => {
    const [mean, variance, offset, scale] = [0, 1, 2, 3].map((i) =>
      tf.randomUniform([3], 0.5, 1.5, "float32", i),
    ) as tf.Tensor1D[];
    expectNumericGradients(
      (a, m, v, o, s) =>
        tf.batchNorm(
          a as tf.Tensor4D,
          m as tf.Tensor1D,
          v as tf.Tensor1D,
          o as tf.Tensor1D,
          s as tf.Tensor1D,
        ),
      [x, mean!, variance!, offset!, scale!],
      5e-3,
    );
    tf.dispose([mean!, variance!, offset!, scale!]);
  });

  it("gives a clipped activation no gradient, on the edge neither", () => {
    const gradients = tf.tidy(() => {
      const edge = tf.tensor1d([-1, 0, 1, 6, 7]);
      return [tf.relu, tf.relu6].map((f) => [
        ...tf
          .grad((t: tf.Tensor) => f(t))(edge)
          .dataSync(),
      ]);
    });
    expect(gradients).toEqual([
      [0, 0, 1, 1, 1],
      [0, 0, 1, 0, 0],
    ]);
  });
});
