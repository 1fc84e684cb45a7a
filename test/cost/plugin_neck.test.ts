import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { costOf, traceSegmentor } from "../../src/cost/index.ts";
import { SegfuseError } from "../../src/errors.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "../../src/necks/contracts.ts";
import type { LevelInfo } from "../../src/models/backbones/contracts.ts";
import { normal, Parameter } from "../../src/nn/index.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";

// A neck as a plug-in may write it: nothing of ours but parameters, everything else in TF.js.

const channels = 8;

/** A kernel with values from nowhere special. */
const kernel = (...shape: number[]) => new Parameter({ shape, role: "weight", initialiser: normal(0.1) });

abstract class RawNeck extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = false;
  readonly isPyramid = false;

  constructor({ levels }: NeckInputs) {
    super();
    this.outputs = [{ channels, stride: levels[0]!.stride }];
  }
}

/**
 * Levels of a ResNet-18 with 4 base channels: 4, 8, 16, 32. Depthwise convolution and linear projection,
 * grouped convolution by split and concat, attention between positions, a transposed convolution, and
 * whatever else the shape of a map goes through.
 */
class EverythingNeck extends RawNeck {
  readonly depthwise = kernel(3, 3, 4, 2);
  readonly project = kernel(1, 1, 8, channels);
  readonly group = [kernel(3, 3, 4, 4), kernel(3, 3, 4, 4)];
  readonly query = kernel(32, 6);
  readonly key = kernel(32, 6);
  readonly value = kernel(32, channels);
  readonly up = kernel(2, 2, channels, 32);

  forward({ levels }: NeckTensors): Tensor4D[] {
    const [first, second, , last] = levels as [Tensor4D, Tensor4D, Tensor4D, Tensor4D];
    const [batch, height, width] = first.shape;
    const separable = tf.conv2d<Tensor4D>(
      tf.depthwiseConv2d<Tensor4D>(first, this.depthwise.value(), 1, "same", "NHWC", 2),
      this.project.value(),
      1,
      "valid",
    );
    const halves = tf.split<Tensor4D>(second, 2, 3);
    const grouped = tf.concat<Tensor4D>(
      halves.map((half, i) => tf.conv2d<Tensor4D>(half, this.group[i]!.value(), 2, 1)),
      3,
    );
    const spread = tf.image.resizeNearestNeighbor(grouped, [height, width]);
    const opened = tf.conv2dTranspose<Tensor4D>(
      last,
      this.up.value(),
      [batch, ...this.twice(last), channels],
      2,
      "same",
    );
    return [
      tf.addN<Tensor4D>([
        tf.relu(separable),
        spread,
        tf.image.resizeBilinear(opened, [height, width]),
        tf.image.resizeBilinear(this.attention(last), [height, width], true),
        tf.mul(separable, tf.sigmoid(tf.mean(separable, [1, 2], true))),
      ]),
    ];
  }

  private twice({ shape }: Tensor4D): [number, number] {
    return [2 * shape[1], 2 * shape[2]];
  }

  private attention(x: Tensor4D): Tensor4D {
    const [batch, height, width, depth] = x.shape;
    const flat = tf.reshape<tf.Rank.R2>(x, [batch * height * width, depth]);
    const heads = (parameter: Parameter) =>
      tf.reshape<tf.Rank.R3>(tf.matMul(flat, parameter.value()), [batch, height * width, -1]);
    const scores = tf.matMul(heads(this.query), heads(this.key), false, true);
    const weights = tf.softmax(tf.div(scores, Math.sqrt(6)));
    const mixed = tf.matMul(weights, heads(this.value));
    return tf.transpose(
      tf.reshape(tf.transpose(mixed, [0, 2, 1]), [batch, channels, height, width]),
      [0, 2, 3, 1],
    );
  }
}

class FourierNeck extends RawNeck {
  forward({ levels }: NeckTensors): Tensor4D[] {
    return [tf.real(tf.spectral.fft(tf.complex(levels[0]!, levels[0]!))) as Tensor4D];
  }
}

/** TF.js has no gradient of einsum: such a neck predicts and is counted, and cannot be trained. */
class EinsumNeck extends RawNeck {
  readonly mix = kernel(4, channels);

  forward({ levels }: NeckTensors): Tensor4D[] {
    return [tf.einsum("bhwi,io->bhwo", levels[0]!, this.mix.value<Tensor>()) as Tensor4D];
  }
}

class PeekingNeck extends RawNeck {
  forward({ levels }: NeckTensors): Tensor4D[] {
    const [x] = levels;
    return [tf.mean(x!).dataSync()[0]! > 0 ? x! : tf.neg(x!)];
  }
}

class ConstantNeck extends RawNeck {
  /** Constants may be read: they are numbers of the code itself. */
  forward({ levels }: NeckTensors): Tensor4D[] {
    const [height, width] = tf.tensor1d([2, 3]).arraySync() as [number, number];
    const x = tf.image.resizeBilinear(levels[0]!, [height, width]);
    return [tf.concat([x, x], 3)];
  }
}

function network(make: new (inputs: NeckInputs) => Neck) {
  const neck = defineNeck({
    type: "plugin",
    description: "a neck of a plug-in",
    schema: Type.Object({}),
    create: (_, inputs) => new make(inputs),
  });
  const components = componentsWith(neck);
  const model = resolvedModel(components, {
    backbone: { type: "resnet", depth: 18, base_channels: 4, output_stride: 32 },
    neck: { type: "plugin" },
    head: { type: "ppm", context: { type: "ppm", channels: 4 } },
  });
  return buildSegmentor(model, { numClasses: 3, ignoreIndex: 255 }, components);
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SegfuseError) return error.report();
    throw error;
  }
  return "no error";
}

describe("a plug-in neck", () => {
  const size = { height: 64, width: 96 };

  it("is counted with no code of its own", () => {
    const { parameters, macs, matrix_products } = costOf(network(EverythingNeck), {
      ...size,
      convention: "mac",
    });
    // By hand. Levels: 16×24×4, 8×12×8, 4×6×16, 2×3×32.
    const depthwise = 16 * 24 * 8 * 9;
    const project = 16 * 24 * 8 * 8;
    const groups = 2 * (4 * 6 * 4) * 9 * 4;
    const transposed = 2 * 3 * 32 * 4 * 8;
    expect(macs.neck).toBe(depthwise + project + groups + transposed);
    const positions = 2 * 3;
    expect(matrix_products.neck).toBe(positions * 32 * (6 + 6 + 8) + positions ** 2 * (6 + 8));
    expect(parameters.neck).toBe(9 * 8 + 8 * 8 + 2 * 9 * 4 * 4 + 32 * (6 + 6 + 8) + 4 * 8 * 32);
  });

  it("has the shapes in the trace that it has on an engine, forward and backward", async () => {
    const { useEngine } = await import("../helpers/engine.ts");
    const { materialise } = await import("../../src/nn/materialise.ts");
    await useEngine("cpu");
    const segmentor = network(EverythingNeck);
    const { nodes } = traceSegmentor(segmentor, { ...size, batch: 2 });
    materialise(segmentor, 0);
    const { kernels } = await tf.profile(() => segmentor.forward(tf.zeros([2, 64, 96, 3])));
    // The portable engine runs pooling and rewritten convolutions by other kernels; the neck runs as it is.
    const traced = nodes
      .filter(({ part }) => part === "neck")
      .map(({ op, outputs }) => ({ op, shape: outputs[0]!.shape }));
    const run = kernels.map(({ name, outputShapes }) => ({ op: name, shape: outputShapes[0] }));
    for (const one of traced) expect(run).toContainEqual(one);
    const { nodes: training } = traceSegmentor(segmentor, { ...size, batch: 2, training: true });
    const gradients = training.filter(({ backward, op }) => backward && op === "Conv2DBackpropFilter");
    expect(gradients.map(({ outputs }) => outputs[0]!.shape)).toContainEqual([3, 3, 4, 4]);
    segmentor.dispose();
  });

  it("is counted where it has no gradient", () => {
    const { matrix_products, activations } = costOf(network(EinsumNeck), { ...size, convention: "mac" });
    expect(matrix_products.neck).toBe(16 * 24 * 4 * 8);
    expect(activations.training.total).toBeGreaterThan(0);
  });

  it("may read constants", () => {
    const { nodes } = traceSegmentor(network(ConstantNeck), size);
    expect(nodes.find(({ path }) => path === "neck")!.outputs[0]!.shape).toEqual([1, 2, 3, 4]);
  });

  it("with an operation that the trace does not know is refused by the operation's name", () => {
    expect(refusal(() => traceSegmentor(network(FourierNeck), size))).toMatchInlineSnapshot(`
      "SEGFUSE_TRACE_OPERATION: the trace does not know the operation Complex
        at: neck
        expected: operations whose output shape follows from shapes: TF.js's on maps, matrices and images
        found: Complex
        try: write the module with other operations, or add the operation's shape to src/engine/trace/shapes"
    `);
  });

  it("that looks at values is refused", () => {
    expect(refusal(() => traceSegmentor(network(PeekingNeck), size))).toMatchInlineSnapshot(`
      "SEGFUSE_TRACE_VALUES: a network reads the values of its tensors as it runs
        at: neck
        expected: a forward pass of tensor operations alone, which can be followed by shapes
        found: dataSync(), arraySync(), print() or the like
        try: choose by shapes and options, or by tensor operations such as tf.where"
    `);
    expect(tf.getBackend()).toBe("cpu");
  });
});
