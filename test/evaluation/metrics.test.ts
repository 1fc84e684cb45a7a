import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BoundaryCounts, boundary } from "../../src/evaluation/boundary.ts";
import { Confusion } from "../../src/evaluation/confusion.ts";
import { constantGuess } from "../../src/evaluation/constant_guess.ts";
import { summarise } from "../../src/evaluation/evaluate.ts";
import { createMetrics } from "../../src/evaluation/metric_list.ts";
import { metrics as builtIn } from "../../src/evaluation/metrics/index.ts";
import { createRegistry } from "../../src/builtin.ts";
import { fixturePath } from "../helpers/fixtures.ts";

interface MetricsFixture {
  images: { size: [number, number]; prediction: number[]; label: number[] }[];
  per_class: Record<string, number | null>[];
  overall: Record<string, number>;
}

const classes = ["a", "b", "c", "d", "only predicted", "nowhere"];

describe("metrics against NumPy, one mask at a time", () => {
  const fixture = JSON.parse(readFileSync(fixturePath("evaluation_metrics.json"), "utf8")) as MetricsFixture;
  const confusion = new Confusion(6, 255);
  const boundaries = new BoundaryCounts(6);
  for (const { size, prediction, label } of fixture.images) {
    confusion.add(Int32Array.from(prediction), Uint8Array.from(label));
    boundaries.add(Int32Array.from(prediction), Uint8Array.from(label), size);
  }
  const metrics = createMetrics(createRegistry(), ["mBIoU"], { classes });
  const images = fixture.images.length;
  const result = summarise({ confusion, boundary: boundaries, metrics, classes, images, seconds: 1 });

  it.each(classes.map((name, c) => [name, c] as const))("class %s", (_, c) => {
    const expected = fixture.per_class[c]!;
    const actual = result.perClass[c]!;
    for (const name of ["IoU", "Acc", "Dice", "Precision", "Recall", "BIoU"] as const) {
      const value = expected[name];
      if (value === null) expect(actual[name], name).toBeNaN();
      else expect(actual[name], name).toBeCloseTo(value!, 12);
    }
    expect(actual.Fscore).toEqual(actual.Dice);
    expect(actual.labelPixels).toBe(expected.label);
    expect(actual.predictedPixels).toBe(expected.prediction);
  });

  it("means and overall scores", () => {
    expect(Object.keys(result.metrics)).toEqual(builtIn.map(({ type }) => type));
    for (const [name, expected] of Object.entries(fixture.overall)) {
      expect(result.metrics[name as "mIoU"], name).toBeCloseTo(expected, 12);
    }
  });

  it("a class that occurs nowhere is named and in no mean; one without labels counts as missed", () => {
    expect(result.absentClasses).toEqual(["nowhere"]);
    expect(result.perClass[4]).toMatchObject({ IoU: 0, Acc: NaN, labelPixels: 0 });
  });

  it("ignored pixels are counted apart", () => {
    const ignored = fixture.images.flatMap(({ label }) => label).filter((l) => l === 255).length;
    const all = fixture.images.reduce((n, { label }) => n + label.length, 0);
    expect(result.ignoredPixels).toBe(ignored);
    expect(result.pixels).toBe(all - ignored);
  });
});

describe("Confusion", () => {
  it("counts exactly beyond 2^32 pixels", () => {
    const large = new Confusion(2, 255);
    large.add([1], Uint8Array.of(0));
    for (let i = 0; i < 40; i++) large.merge(large);
    expect(large.at(0, 1)).toBe(2 ** 40);
    large.add([1], Uint8Array.of(0));
    expect(large.pixels).toBe(2 ** 40 + 1);
  });

  it("refuses a label that is no class", () => {
    expect(() => new Confusion(3, 255).add([0, 0], Uint8Array.of(2, 7))).toThrowErrorMatchingInlineSnapshot(
      `[SegfuseError: a label of the evaluated images has the value 7]`,
    );
    expect(() => new Confusion(3, 7).add([0, 0], Uint8Array.of(2, 7))).not.toThrow();
  });

  it("refuses maps of different size", () => {
    expect(() => new Confusion(3, 255).add([0], Uint8Array.of(0, 1))).toThrow(RangeError);
  });
});

describe("constant guess", () => {
  it("is the commonest class of the labels, whatever was predicted", () => {
    const rows = [
      [0, 60, 0, 0],
      [30, 0, 0, 0],
      [0, 10, 0, 0],
      [0, 0, 0, 0],
    ];
    // class 0 everywhere: IoU 0.6, classes 1 and 2 missed, class 3 nowhere
    expect(constantGuess(rows)).toEqual({ class: 0, mIoU: 0.6 / 3, mAcc: 1 / 3, aAcc: 0.6 });
  });

  it("is none without labelled pixels", () => {
    expect(constantGuess([[0]])).toBeNull();
    const metrics = createMetrics(createRegistry(), [], { classes: ["a"] });
    expect(metrics.compute([[0]], null).metrics).toMatchObject({ mIoU: NaN, aAcc: NaN, kappa: NaN });
  });
});

it("F-score weighs recall by beta", () => {
  const metrics = createMetrics(createRegistry(), [{ type: "mFscore", beta: 2 }], { classes: ["a", "b"] });
  const { perClass, metrics: scores } = metrics.compute(
    [
      [30, 30],
      [10, 0],
    ],
    null,
  );
  const [precision, recall] = [30 / 40, 30 / 60];
  const expected = (5 * precision * recall) / (4 * precision + recall);
  expect(perClass.map(({ own }) => own.Fscore)).toEqual([expect.closeTo(expected, 12), 0]);
  expect(scores.mFscore).toBeCloseTo(expected / 2, 12);
  expect(metrics.extra).toMatchObject([{ name: "mFscore", options: { beta: 2 }, column: null }]);
});

it("the boundary of a map is what lies near another value or the image's edge", () => {
  const map = ["000000000", "000000000", "000000000", "000011111", "000011111", "000011111", "000011111"];
  const values = Uint8Array.from(map.join(""), Number);
  const marks = boundary(values, [7, 9], 1);
  const rows = map.map((_, y) => Array.from(marks.subarray(y * 9, (y + 1) * 9)).join(""));
  expect(rows).toEqual([
    "111111111",
    "100000001",
    "100111111",
    "100111111",
    "100110001",
    "100110001",
    "111111111",
  ]);
});
