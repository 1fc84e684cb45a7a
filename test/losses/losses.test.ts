import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { valueAndGradients } from "../../src/engine/backward.ts";
import { losses } from "../../src/losses/index.ts";
import type { SegfuseError } from "../../src/errors.ts";
import type { Loss } from "../../src/losses/contracts.ts";
import type { ComponentConfig } from "../../src/registry/component_ref.ts";
import { useEngine } from "../helpers/engine.ts";
import { fixturePath, recipe } from "../helpers/fixtures.ts";
import { componentsWith, resolved } from "../helpers/network.ts";

interface Fixture {
  readonly shape: [number, number, number];
  readonly classes: number;
  readonly ignore: number;
  readonly labels: Readonly<Record<string, number[]>>;
  readonly cases: readonly {
    options: ComponentConfig;
    labels: string;
    loss: number;
    gradient: number[];
  }[];
}

const fixture = JSON.parse(readFileSync(fixturePath("losses.json"), "utf8")) as Fixture;
const { shape, classes, ignore } = fixture;
const components = componentsWith();

function make(options: ComponentConfig, numClasses = classes, ignoreIndex = ignore): Loss {
  const full = resolved(components, "loss", options);
  return components.get("loss", options.type).create(full as never, { numClasses, ignoreIndex });
}

const logitShape = [...shape, classes] as [number, number, number, number];
const size = logitShape.reduce((a, b) => a * b);
const someLogits = recipe("logits", size, -4, 4);

/** Loss and gradient for the fixture's logits. */
function run(loss: Loss, labelValues: readonly number[], logitValues: Float32Array = someLogits) {
  const logits = tf.tensor4d(logitValues, logitShape);
  const labels = tf.tensor3d(labelValues as number[], shape, "int32");
  const { value, gradients } = valueAndGradients(() => loss.forward(logits, labels), [logits]);
  const result = { loss: value.dataSync()[0]!, gradient: gradients[0]!.dataSync<"float32">().slice() };
  tf.dispose([logits, labels, value, gradients[0]!]);
  return result;
}

describe.each(["tensorflow", "wasm", "cpu"] as const)("on the engine %s", (engine) => {
  beforeAll(() => useEngine(engine));
  let before: number;
  beforeAll(() => (before = tf.memory().numTensors));
  afterAll(() => expect(tf.memory().numTensors).toBe(before));

  it.each(fixture.cases.map((one) => [JSON.stringify(one.options), one.labels, one] as const))(
    "%s, labels %s: PyTorch's loss and gradient",
    (_, __, { options, labels, loss, gradient }) => {
      const actual = run(make(options), fixture.labels[labels]!);
      expect(Math.abs(actual.loss - loss)).toBeLessThan(2e-6 * Math.max(1, loss));
      const largest = Math.max(...gradient.map(Math.abs));
      const error = Math.max(...gradient.map((g, i) => Math.abs(g - actual.gradient[i]!)));
      expect(error).toBeLessThan(1e-5 * largest + 1e-8);
    },
  );

  it.each(losses.map(({ type }) => [type]))("%s of ignored pixels alone is 0, as its gradient", (type) => {
    for (const options of [
      { type },
      ...(type === "ohem_cross_entropy" ? [{ type, thresh: null, min_kept: 3, average: "kept" }] : []),
      ...(type === "dice"
        ? [
            { type, smooth: 0 },
            { type, classes: "present" },
          ]
        : []),
      ...(type === "lovasz_softmax"
        ? [
            { type, classes: "all" },
            { type, per_image: true },
          ]
        : []),
    ]) {
      const { loss, gradient } = run(make(options), Array<number>(60).fill(ignore));
      expect(Math.abs(loss)).toBe(0);
      expect(gradient.every((g) => g === 0)).toBe(true);
    }
  });

  it.each(losses.map(({ type }) => [type]))("%s stays finite with very sure logits", (type) => {
    const sure = someLogits.map((x) => 100 * x);
    const { loss, gradient } = run(make({ type }), fixture.labels.mixed!, sure);
    expect(Number.isFinite(loss)).toBe(true);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it.each(losses.map(({ type }) => [type]))("%s is multiplied by its weight", (type) => {
    const once = run(make({ type }), fixture.labels.mixed!);
    const thrice = run(make({ type, weight: 3 }), fixture.labels.mixed!);
    expect(thrice.loss).toBeCloseTo(3 * once.loss, 5);
    expect(thrice.gradient[7]).toBeCloseTo(3 * once.gradient[7]!, 6);
  });
});

describe("an ignore index below the number of classes", () => {
  beforeAll(() => useEngine());
  it.each(losses.map(({ type }) => [type]))("%s does not count it as a class", (type) => {
    const renamed = fixture.labels.absent!.map((k) => (k === ignore ? 2 : k));
    const options = { type, ...(type === "lovasz_softmax" ? { classes: "all" } : {}) };
    expect(run(make(options, classes, 2), renamed)).toEqual(run(make(options), fixture.labels.absent!));
  });
});

it.each([
  [{ type: "dice", class_weights: [1] }, "class_weights of a dice loss"],
  [{ type: "lovasz_softmax", class_weights: [1] }, "class_weights of a lovasz_softmax loss"],
  [{ type: "focal", alpha: [0.5] }, "alpha of a focal loss"],
  [{ type: "ohem_cross_entropy", class_weights: [1, 2] }, "class_weights of an ohem_cross_entropy loss"],
] as const)("%o: a list that is not as long as the classes is refused", (options, where) => {
  let told: unknown;
  try {
    make(options);
  } catch (error) {
    told = error;
  }
  expect((told as SegfuseError).code).toBe("SEGFUSE_CLASS_WEIGHTS");
  expect((told as SegfuseError).details.where).toBe(where);
});
