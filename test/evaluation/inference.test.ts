import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { resizeBilinear } from "../../src/engine/ops/index.ts";
import { classMap, resizeRows } from "../../src/evaluation/class_map.ts";
import { imageLogits, predictClasses, type InferenceSettings } from "../../src/evaluation/inference.ts";
import { windowStarts } from "../../src/evaluation/windows.ts";
import { useEngine } from "../helpers/engine.ts";
import {
  expectMap,
  featureMap,
  fixturePath,
  readFixture,
  relativeToLargest,
  stored,
} from "../helpers/fixtures.ts";
import { LinearNetwork } from "./linear_network.ts";

beforeAll(() => useEngine());

const fixture = readFixture(fixturePath("evaluation.safetensors"));
const whole: InferenceSettings = { mode: "whole", window: [1, 1], stride: [1, 1], scales: [1], flip: false };
const slide: InferenceSettings = { ...whole, mode: "slide", window: [14, 18], stride: [9, 13] };
const settings: Record<string, InferenceSettings> = {
  whole,
  flip: { ...whole, flip: true },
  scales: { ...whole, scales: [0.75, 1, 1.25, 1.5, 1.75], flip: true },
  slide,
  wide: { ...slide, window: [64, 18], stride: [64, 18] },
  slide_scales: { ...slide, scales: [0.5, 1.25], flip: true },
};

describe.each([
  ["centres", false],
  ["corners", true],
])("resizing with aligned %s", (suffix, alignCorners) => {
  const make = () => new LinearNetwork(stored(fixture, "weight"), stored(fixture, "bias"), alignCorners);

  it.each(Object.keys(settings))("class maps of %s equal PyTorch's", (name) => {
    const network = make();
    const images = featureMap(stored(fixture, "images"));
    const expected = stored(fixture, `classes.${name}_${suffix}`);
    const before = tf.memory().numTensors;
    const classes = predictClasses(network, images, [33, 45], settings[name]!);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(classes.dtype).toBe("int32");
    expect(classes.shape).toEqual(expected.shape);
    expect(Float32Array.from(classes.dataSync())).toEqual(expected.values);
    tf.dispose([classes, images]);
    network.dispose();
  });

  it.each(["slide"])("mean logits of %s equal PyTorch's", (name) => {
    const network = make();
    const logits = imageLogits(network, featureMap(stored(fixture, "images")), settings[name]!);
    expectMap(logits, stored(fixture, `logits.${name}_${suffix}`), 1e-5);
    network.dispose();
  });

  it("rows resized in pieces equal the whole map resized", () => {
    const map = tf.randomNormal<tf.Rank.R4>([2, 9, 7, 3], 0, 1, "float32", 1);
    for (const size of [
      [31, 18],
      [5, 18],
      [9, 18],
      [9, 7],
      [1, 1],
    ] as [number, number][]) {
      const expected = resizeBilinear(map, size, alignCorners);
      const cut = Math.ceil(size[0] / 3);
      const parts = [0, cut, 2 * cut, size[0]]
        .map((row) => Math.min(row, size[0]))
        .flatMap((top, i, rows) =>
          i + 1 < rows.length && rows[i + 1]! > top ? [[top, rows[i + 1]!] as const] : [],
        )
        .map((rows) => resizeRows(map, size, rows, alignCorners));
      expect(
        relativeToLargest(tf.concat(parts, 1).dataSync(), expected.dataSync()),
        String(size),
      ).toBeLessThan(1e-5);
    }
  });
});

it("large maps are resized in strips and come out whole", () => {
  // 40 classes at 512×640 are 52 MB: more than one strip
  const low = tf.randomNormal<tf.Rank.R4>([1, 16, 20, 40], 0, 1, "float32", 2);
  const expected = tf.tidy(() => tf.argMax(resizeBilinear(low, [512, 640], false), 3));
  const actual = classMap([() => tf.clone(low)], [512, 640], false);
  expect(actual.shape).toEqual([1, 512, 640]);
  // two classes whose logits are within a rounding error may change places
  expect(differing(actual, expected)).toBeLessThan(5);
  const averaged = classMap([() => tf.clone(low), () => tf.clone(low)], [512, 640], false);
  expect(differing(averaged, expected)).toBeLessThan(5);
});

describe("window starts", () => {
  it.each([
    [1024, 864, 576, [0, 160]],
    [2048, 864, 576, [0, 576, 1152, 1184]],
    [360, 864, 576, [0]],
    [864, 864, 576, [0]],
    [10, 4, 3, [0, 3, 6]],
    [10, 4, 4, [0, 4, 6]],
    [864, 864, 1000, [0]],
  ])("%i pixels, window %i, stride %i", (size, window, stride, expected) => {
    expect(windowStarts(size, window, stride)).toEqual(expected);
  });

  it("a stride that leaves gaps is refused", () => {
    expect(() => windowStarts(100, 20, 21)).toThrowErrorMatchingInlineSnapshot(
      `[SegfuseError: evaluation.stride leaves gaps between the windows]`,
    );
  });
});

function differing(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.sum(tf.cast(tf.notEqual(a, b), "int32")).dataSync()[0]!);
}
