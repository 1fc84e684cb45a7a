import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { valueAndGradients } from "../../src/engine/backward.ts";
import { addRelu, batchNormTraining, conv2d, softmaxCrossEntropy } from "../../src/engine/ops/index.ts";
import { SegfuseError } from "../../src/errors.ts";
import { useEngine } from "../helpers/engine.ts";

beforeAll(() => useEngine());

const map = (seed: number, channels = 3) =>
  tf.randomNormal<tf.Rank.R4>([2, 5, 6, channels], 0, 1, "float32", seed);

describe("valueAndGradients", () => {
  it("gives what tf.variableGrads gives, of a graph with branches, and leaves nothing behind", () => {
    const x = map(1);
    const kernel = tf.variable(tf.randomNormal([3, 3, 3, 3], 0, 1, "float32", 2));
    const weight = tf.variable(tf.ones([3]));
    const bias = tf.variable(tf.zeros([3]));
    const unused = tf.variable(tf.ones([2]));
    const loss = () => {
      const a = conv2d(x, kernel as unknown as tf.Tensor4D, { padding: 1 });
      const { y } = batchNormTraining(a, {
        weight: weight as unknown as tf.Tensor1D,
        bias: bias as unknown as tf.Tensor1D,
        epsilon: 1e-5,
        activation: "relu",
      });
      const b = addRelu(conv2d(y, kernel as unknown as tf.Tensor4D, { padding: 2, dilation: 2 }), a);
      return tf.mean<tf.Scalar>(tf.square(tf.addN([a, b, y, b])));
    };
    const before = tf.memory().numTensors;
    const { value, gradients } = valueAndGradients(loss, [kernel, weight, unused, bias]);
    expect(tf.memory().numTensors).toBe(before + 4);
    expect(gradients[2]).toBeNull();
    const expected = tf.variableGrads(loss, [kernel, weight, bias]);
    expect(value.dataSync()).toEqual(expected.value.dataSync());
    for (const [i, variable] of [kernel, weight, null, bias].entries())
      if (variable !== null)
        expect(gradients[i]!.dataSync()).toEqual(expected.grads[variable.name]!.dataSync());
    tf.dispose([x, value, kernel, weight, bias, unused, expected.value]);
    tf.dispose(gradients as tf.Tensor[]);
    tf.dispose(expected.grads);
  });

  it("takes the gradient of a result that is no scalar", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([1, 2, 3]);
      const { gradients } = valueAndGradients(
        () => tf.square<tf.Tensor1D>(x),
        [x],
        tf.tensor1d([1, 10, 100]),
      );
      expect([...gradients[0]!.dataSync()]).toEqual([2, 40, 600]);
    });
  });

  it("releases what it holds where the forward pass fails", () => {
    const x = map(1);
    const before = tf.memory().numTensors;
    expect(() =>
      valueAndGradients<tf.Tensor>(() => {
        tf.square(tf.relu(x));
        throw new Error("no loss");
      }, [x]),
    ).toThrow("no loss");
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

describe("softmaxCrossEntropy", () => {
  it.each([true, false])(
    "is 0 with gradients of 0 where all is ignored (avgNonIgnore %s)",
    (avgNonIgnore) => {
      tf.tidy(() => {
        const logits = map(3);
        const labels = tf.fill<tf.Rank.R3>([2, 5, 6], 255, "int32");
        const { value, gradients } = valueAndGradients(
          () => softmaxCrossEntropy(logits, labels, { ignoreIndex: 255, avgNonIgnore }),
          [logits],
        );
        expect(value.dataSync()[0]).toBe(0);
        expect(gradients[0]!.dataSync().every((g) => g === 0)).toBe(true);
      });
    },
  );

  it("refuses a label that is no class", async () => {
    for (const engine of ["cpu", "tensorflow"] as const) {
      await useEngine(engine);
      const logits = map(3);
      const labels = tf.fill<tf.Rank.R3>([2, 5, 6], 3, "int32");
      const refused = () => softmaxCrossEntropy(logits, labels, { ignoreIndex: 255, avgNonIgnore: true });
      expect(textOf(refused)).toMatch(/label/);
      tf.dispose([logits, labels]);
    }
  });
});

/** What is told of an error; TensorFlow's own words stand in what was found. */
function textOf(refused: () => unknown): string {
  try {
    refused();
  } catch (error) {
    return error instanceof SegfuseError ? error.report() : String(error);
  }
  return "nothing was thrown";
}
