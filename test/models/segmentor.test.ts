import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildSegmentor } from "../../src/models/build.ts";
import { Backbone, defineBackbone } from "../../src/models/backbones/contracts.ts";
import type { Segmentor } from "../../src/models/segmentor.ts";
import { ConvBnRelu, materialise, type NetworkContext } from "../../src/nn/index.ts";
import type { ComponentConfig } from "../../src/registry/component_ref.ts";
import { useEngine } from "../helpers/engine.ts";
import {
  assignRecipe,
  expectGradients,
  expectMap,
  fixturePath,
  gradientsOf,
  readFixture,
  recipe,
  stored,
} from "../helpers/fixtures.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";

/** A backbone from outside the project: four convolutions at strides 4, 8, 8, 8 (make_fusion.py has the same). */
class FourConvolutions extends Backbone {
  readonly levels = [4, 8, 8, 8].map((stride, l) => ({ channels: 3 + l, stride }));
  readonly stages: ConvBnRelu[];

  constructor(context: NetworkContext) {
    super();
    this.stages = [
      new ConvBnRelu(context, { kernel: 3, in: 3, out: 3, stride: 4 }),
      new ConvBnRelu(context, { kernel: 3, in: 3, out: 4, stride: 2 }),
      new ConvBnRelu(context, { kernel: 3, in: 4, out: 5, dilation: 2 }),
      new ConvBnRelu(context, { kernel: 3, in: 5, out: 6, dilation: 4 }),
    ];
  }

  forward(image: Tensor4D): Tensor4D[] {
    const levels: Tensor4D[] = [];
    for (const stage of this.stages) levels.push(stage.forward(levels.at(-1) ?? image));
    return levels;
  }
}

const components = componentsWith(
  defineBackbone({
    type: "four_convolutions",
    description: "four convolutions",
    schema: Type.Object({}),
    create: (_options, _inputs, context) => new FourConvolutions(context),
  }),
);

const batch = 3;
const numClasses = 3;
const ignoreIndex = 255;

interface Case {
  image: [height: number, width: number];
  align_corners: boolean;
  neck: ComponentConfig;
  head: ComponentConfig;
  auxiliary: { level: number; channels: number }[];
  losses: Record<string, Record<string, unknown>[]>;
}

function build(options: Omit<Case, "image">, dropout = 0): Segmentor {
  const losses = Object.values(options.losses).map((list) =>
    list.map((loss) => ({ ...loss, type: "cross_entropy" })),
  );
  const auxiliary = options.auxiliary.map((head, i) => ({
    ...head,
    type: "fcn",
    dropout,
    losses: losses[i + 1]!,
  }));
  const model = resolvedModel(components, {
    backbone: { type: "four_convolutions" },
    neck: { ...(options.neck.type === "none" ? {} : { channels: 4 }), ...options.neck },
    head: { ...options.head, dropout, losses: losses[0]! },
    auxiliary_head: auxiliary.length === 1 ? auxiliary[0]! : auxiliary,
    align_corners: options.align_corners,
  });
  return buildSegmentor(model, { numClasses, ignoreIndex }, components);
}

function imageAndLabels([height, width]: [number, number]) {
  const count = batch * height * width;
  const image = tf.tensor4d(recipe("image", count * 3, -1, 1), [batch, height, width, 3]);
  const drawn = recipe("labels", count, 0, numClasses + 1).map(Math.floor);
  const labels = Int32Array.from(drawn, (label) => (label === numClasses ? ignoreIndex : label));
  return { image, labels: tf.tensor3d(labels, [batch, height, width], "int32") };
}

const ppm = { type: "ppm", channels: 4 };
const gff: Omit<Case, "image"> = {
  align_corners: false,
  neck: { type: "gff" },
  head: ppm,
  auxiliary: [{ level: 3, channels: 4 }],
  losses: { decode: [{}], aux: [{ weight: 0.4 }] },
};

describe("Segmentor", () => {
  beforeAll(() => useEngine());
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it.each(["one_auxiliary", "two_auxiliary"])("gives PyTorch's logits, losses and gradients: %s", (name) => {
    const fixture = readFixture(fixturePath(`fusion/segmentor.${name}.safetensors`));
    const options = JSON.parse(fixture.metadata.case!) as Case;
    const segmentor = build(options);
    segmentor.context.training = true;
    assignRecipe(segmentor);
    const { image, labels } = imageAndLabels(options.image);

    const { logits, auxiliary } = segmentor.forwardTraining(image);
    expectMap(logits, stored(fixture, "logits"), 1e-4, "logits");
    expect(auxiliary).toHaveLength(options.auxiliary.length);
    for (const [i, map] of auxiliary.entries()) expectMap(map, stored(fixture, `auxiliary.${i}`), 1e-4);

    const { total, parts } = segmentor.loss(image, labels);
    expect(Object.keys(parts)).toEqual(Object.keys(options.losses));
    let sum = 0;
    for (const [part, value] of Object.entries(parts)) {
      const expected = stored(fixture, `loss.${part}`).values[0]!;
      expect(value.dataSync()[0], part).toBeCloseTo(expected, 5);
      sum += expected;
    }
    expect(total.dataSync()[0]).toBeCloseTo(sum, 5);
    expectGradients(
      segmentor,
      gradientsOf(segmentor, () => segmentor.loss(image, labels).total),
      fixture,
    );
  });

  it("names its parameters as checkpoints do", () => {
    const names = (auxiliary: Case["auxiliary"]) => {
      const losses = { ...gff.losses, aux_1: [{}] };
      const segmentor = build({ ...gff, neck: { type: "gff", refine_convs: 1 }, auxiliary, losses });
      return [...segmentor.namedParameters()]
        .map(([name]) => name)
        .filter((name) => !/\.bn\.(bias|running_)/.test(name));
    };
    expect(names(gff.auxiliary).join("\n")).toMatchInlineSnapshot(`
      "backbone.stages.0.conv.weight
      backbone.stages.0.bn.weight
      backbone.stages.1.conv.weight
      backbone.stages.1.bn.weight
      backbone.stages.2.conv.weight
      backbone.stages.2.bn.weight
      backbone.stages.3.conv.weight
      backbone.stages.3.bn.weight
      neck.reduce.0.conv.weight
      neck.reduce.0.bn.weight
      neck.reduce.1.conv.weight
      neck.reduce.1.bn.weight
      neck.reduce.2.conv.weight
      neck.reduce.2.bn.weight
      neck.reduce.3.conv.weight
      neck.reduce.3.bn.weight
      neck.gates.0.weight
      neck.gates.0.bias
      neck.gates.1.weight
      neck.gates.1.bias
      neck.gates.2.weight
      neck.gates.2.bias
      neck.gates.3.weight
      neck.gates.3.bias
      neck.refine.0.0.conv.weight
      neck.refine.0.0.bn.weight
      neck.refine.1.0.conv.weight
      neck.refine.1.0.bn.weight
      neck.refine.2.0.conv.weight
      neck.refine.2.0.bn.weight
      neck.refine.3.0.conv.weight
      neck.refine.3.0.bn.weight
      head.context.stages.0.conv.weight
      head.context.stages.0.bn.weight
      head.context.stages.1.conv.weight
      head.context.stages.1.bn.weight
      head.context.stages.2.conv.weight
      head.context.stages.2.bn.weight
      head.context.stages.3.conv.weight
      head.context.stages.3.bn.weight
      head.context.bottleneck.conv.weight
      head.context.bottleneck.bn.weight
      head.classifier.weight
      head.classifier.bias
      auxiliary_head.convs.0.conv.weight
      auxiliary_head.convs.0.bn.weight
      auxiliary_head.classifier.weight
      auxiliary_head.classifier.bias"
    `);
    const several = names([...gff.auxiliary, { level: 2, channels: 4 }]);
    expect(several.filter((name) => name.startsWith("auxiliary_head"))).toMatchInlineSnapshot(`
      [
        "auxiliary_head.0.convs.0.conv.weight",
        "auxiliary_head.0.convs.0.bn.weight",
        "auxiliary_head.0.classifier.weight",
        "auxiliary_head.0.classifier.bias",
        "auxiliary_head.1.convs.0.conv.weight",
        "auxiliary_head.1.convs.0.bn.weight",
        "auxiliary_head.1.classifier.weight",
        "auxiliary_head.1.classifier.bias",
      ]
    `);
  });

  it("leaves nothing behind but its result, and frees what is not on the tape part by part", () => {
    const segmentor = build(gff);
    materialise(segmentor, 0);
    const { image } = imageAndLabels([33, 47]);
    const before = tf.memory().numTensors;
    const logits = segmentor.forward(image);
    expect(logits.shape).toEqual([batch, 33, 47, numClasses]);
    expect(tf.memory().numTensors).toBe(before + 1);
    logits.dispose();

    const gates = segmentor.gateMaps(image);
    expect(gates.map((gate) => gate.shape)).toEqual([
      [batch, 9, 12, 1],
      [batch, 5, 6, 1],
      [batch, 5, 6, 1],
      [batch, 5, 6, 1],
    ]);
    expect(tf.memory().numTensors).toBe(before + 4);
  });

  it("has the same dropout mask in the rewritten and in the literal classifier", () => {
    const segmentor = build(gff, 0.5);
    assignRecipe(segmentor);
    segmentor.context.training = true;
    segmentor.context.step = { seed: 1, iteration: 7, firstSample: 0 };
    const { image } = imageAndLabels([33, 47]);
    const run = () => Float32Array.from(segmentor.forwardTraining(image).logits.dataSync());
    const rewritten = run();
    segmentor.context.literal = true;
    const literal = run();
    segmentor.context.step = { seed: 1, iteration: 8, firstSample: 0 };
    const next = run();
    const difference = (a: Float32Array, b: Float32Array) =>
      Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    expect(difference(rewritten, literal)).toBeLessThan(1e-5);
    expect(difference(literal, next)).toBeGreaterThan(1e-2);
  });

  it("closes a gate for one call alone", () => {
    const segmentor = build(gff);
    assignRecipe(segmentor);
    const { image } = imageAndLabels([32, 40]);
    const open = segmentor.forward(image).dataSync();
    const closed = segmentor.forward(image, { closedGates: [3] }).dataSync();
    expect(closed).not.toEqual(open);
    expect(segmentor.forward(image).dataSync()).toEqual(open);
  });

  it("counts one class as any other number", () => {
    const model = resolvedModel(components, {
      backbone: { type: "four_convolutions" },
      neck: { type: "none" },
      head: ppm,
    });
    const segmentor = buildSegmentor(model, { numClasses: 1, ignoreIndex }, components);
    materialise(segmentor, 0);
    segmentor.context.training = true;
    const { image } = imageAndLabels([32, 40]);
    const labels = tf.zeros<tf.Rank.R3>([batch, 32, 40], "int32");
    expect(segmentor.loss(image, labels).total.dataSync()[0]).toBe(0);
    expect(segmentor.forward(image).shape).toEqual([batch, 32, 40, 1]);
  });
});
