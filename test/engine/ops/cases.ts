import * as tf from "@tensorflow/tfjs";
import { expect, it } from "vitest";
import * as ops from "../../../src/engine/ops/index.ts";
import { fixturePath, readFixture, relativeToLargest, stored } from "../../helpers/fixtures.ts";

/** A case of test/fixtures/engine_ops.py, which PyTorch computed in float64. */
interface Case {
  name: string;
  op: string;
  options: Record<string, unknown>;
  /** What the operation is differentiated with respect to. */
  inputs: string[];
}

const fixture = readFixture(fixturePath("engine_ops.safetensors"));
const cases = JSON.parse(fixture.metadata.cases!) as Case[];

/** Holds every operation, its gradients and its memory on the engine in use against PyTorch's. */
export function compareWithPyTorch(): void {
  for (const one of cases.filter(({ op }) => op !== "sgdMomentumUpdate"))
    it(`${one.name} ${one.op} ${JSON.stringify(one.options)}`, () => {
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const inputs = one.inputs.map((input) => tensorOf(one, input));
        const { value, grads } = tf.valueAndGrads((...args: tf.Tensor[]) => run(one, args))(
          inputs,
          tensorOf(one, "dy"),
        );
        expectClose(value, one, "y");
        for (const [i, input] of one.inputs.entries()) expectClose(grads[i]!, one, `d${input}`);
      });
      expect(tf.memory().numTensors).toBe(before);
    });

  for (const one of cases.filter(({ op }) => op === "sgdMomentumUpdate"))
    it(`${one.name} three steps of SGD ${JSON.stringify(one.options)}`, () => {
      const before = tf.memory().numTensors;
      const variable = tf.tidy(() => tf.variable(tensorOf(one, "w0")));
      const accumulator = tf.tidy(() => tf.variable(tf.zerosLike(variable)));
      for (const step of [1, 2, 3]) {
        const gradient = tensorOf(one, `g${step}`);
        ops.sgdMomentumUpdate(variable, accumulator, gradient, one.options as never);
        gradient.dispose();
        expectClose(variable, one, `w${step}`);
      }
      expectClose(accumulator, one, "v3");
      tf.dispose([variable, accumulator]);
      expect(tf.memory().numTensors).toBe(before);
    });
}

function run(one: Case, [x, weight, bias]: tf.Tensor[]): tf.Tensor {
  const options = one.options as never;
  const map = x as tf.Tensor4D;
  const size = (one.options.size ?? [0, 0]) as [number, number];
  switch (one.op) {
    case "conv2d":
      return ops.conv2d(map, weight as tf.Tensor4D, options);
    case "depthwiseConv2d":
      return ops.depthwiseConv2d(map, weight as tf.Tensor4D, options);
    case "resizeBilinear":
      // Of the same size, x itself comes back, which TF.js cannot differentiate alone.
      return ops.resizeBilinear(tf.mul(map, 1), size, one.options.alignCorners as boolean);
    case "maxPool":
      return ops.maxPool(map, options);
    case "adaptiveAvgPool":
      return ops.adaptiveAvgPool(map, size);
    case "relu":
      return ops.relu(tf.mul(map, 4));
    case "relu6":
      return ops.relu6(tf.mul(map, 4));
    case "batchNorm":
      return ops.batchNorm(map, {
        ...(one.options as { epsilon: number }),
        weight: tf.mul(weight!, 3),
        bias: bias as tf.Tensor1D,
        mean: tensorOf(one, "mean") as tf.Tensor1D,
        variance: tensorOf(one, "variance") as tf.Tensor1D,
      });
    case "batchNormTraining": {
      const { y, mean, variance } = ops.batchNormTraining(map, {
        ...(one.options as { epsilon: number }),
        weight: tf.mul(weight!, 3),
        bias: bias as tf.Tensor1D,
      });
      expectClose(mean, one, "mean");
      expectClose(variance, one, "variance");
      return y;
    }
    case "softmaxCrossEntropy":
      return ops.softmaxCrossEntropy(
        tf.mul(map, 3),
        tf.cast(tensorOf(one, "labels"), "int32") as tf.Tensor3D,
        {
          ...(one.options as { ignoreIndex: number; avgNonIgnore: boolean }),
          classWeights: fixture.tensors.has(`${one.name}/classWeights`)
            ? (tensorOf(one, "classWeights") as tf.Tensor1D)
            : null,
        },
      );
    default:
      throw new Error(`no operation ${one.op}`);
  }
}

function tensorOf(one: Case, key: string): tf.Tensor {
  const { values, shape } = stored(fixture, `${one.name}/${key}`);
  return tf.tensor(values, shape);
}

function expectClose(actual: tf.Tensor, one: Case, key: string): void {
  const expected = stored(fixture, `${one.name}/${key}`);
  expect(actual.shape, `shape of ${key}`).toEqual(expected.shape);
  expect(relativeToLargest(actual.dataSync(), expected.values), key).toBeLessThan(1e-5);
}
