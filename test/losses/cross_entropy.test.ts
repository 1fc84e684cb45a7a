import * as tf from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import type { Loss } from "../../src/losses/contracts.ts";
import { Files, small } from "../config/files.ts";
import { useEngine } from "../helpers/engine.ts";
import { componentsWith, resolved } from "../helpers/network.ts";

// A whole network's losses are compared with PyTorch in test/models/segmentor.test.ts.

const components = componentsWith();

function make(options: Record<string, unknown> = {}, numClasses = 3): Loss {
  const full = resolved(components, "loss", {
    type: "cross_entropy",
    ...options,
  }) as unknown as Static<TObject>;
  return components.get("loss", "cross_entropy").create(full, { numClasses, ignoreIndex: 255 });
}

describe("cross_entropy", () => {
  beforeAll(() => useEngine());
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const uniform = () => tf.zeros<tf.Rank.R4>([1, 2, 2, 3]);
  const labels = (...values: number[]) => tf.tensor3d(values, [1, 2, 2], "int32");
  const value = (loss: Loss, ...of: number[]) => loss.forward(uniform(), labels(...of)).dataSync()[0]!;

  it("of a uniform guess is ln N, whatever pixels are ignored", () => {
    expect(value(make(), 0, 1, 2, 0)).toBeCloseTo(Math.log(3), 6);
    expect(value(make(), 0, 255, 255, 2)).toBeCloseTo(Math.log(3), 6);
  });

  it("averages over all pixels where that is asked for", () => {
    expect(value(make({ avg_non_ignore: false }), 0, 255, 255, 2)).toBeCloseTo(Math.log(3) / 2, 6);
  });

  it("has a weight, and weights by class", () => {
    expect(value(make({ weight: 0.4 }), 0, 1, 2, 0)).toBeCloseTo(0.4 * Math.log(3), 6);
    const sure = tf.tensor4d([9, 0, 0, 9, 0, 0, 9, 0, 0, 9, 0, 0], [1, 2, 2, 3]);
    const loss = make({ class_weights: [3, 1, 1] }).forward(sure, labels(0, 1, 255, 255));
    const logSum = Math.log(Math.exp(9) + 2);
    expect(loss.dataSync()[0]).toBeCloseTo((3 * (logSum - 9) + logSum) / 4, 5);
  });

  it("is 0 where every pixel is ignored", () => {
    expect(value(make(), 255, 255, 255, 255)).toBe(0);
  });

  it("refuses a list of weights of another length", () => {
    let report = "";
    try {
      make({ class_weights: [1, 2] });
    } catch (error) {
      report = (error as SegfuseError).report();
    }
    expect(report).toMatchInlineSnapshot(`
      "SEGFUSE_CLASS_WEIGHTS: class weights do not fit the classes
        at: class_weights of a cross_entropy loss
        expected: 3 numbers, one per class
        found: 2"
    `);
  });

  it.each(["class_weights: [1, -1]", "weight: -1"])("refuses %s", async (option) => {
    const set = [`model.head.losses=[{type: cross_entropy, ${option}}]`];
    const loaded = new Files({ "small.yaml": small }).load("small.yaml", { set });
    await expect(loaded).rejects.toMatchObject({ code: "SEGFUSE_CONFIG_RANGE" });
  });
});
