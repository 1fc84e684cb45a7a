import { describe, expect, test } from "vitest";
import type { DeferredSample, Sample } from "../../src/datasets/contracts.ts";
import { normalise } from "../../src/datasets/pipeline.ts";
import { resizeImage, resizeLabel } from "../../src/datasets/resample.ts";
import { deferRaw, settle } from "../../src/datasets/sample.ts";
import { transforms } from "../../src/datasets/transforms/index.ts";
import { Random } from "../../src/util/random.ts";
import { bytes, fixture, floats } from "./support.ts";

const source = { height: 7, width: 9 };
const image = bytes(fixture.image);
const label = bytes(fixture.label);
const raw = () =>
  deferRaw({
    id: "s",
    image: { ...source, channels: 3, data: image.slice() },
    label: { ...source, data: label.slice() },
  });
const create = (type: string, options: Record<string, unknown>, cropSize: [number, number] = [4, 5]) =>
  transforms.find((t) => t.type === type)!.create(options, { cropSize, ignoreIndex: 255 });
const crop = { size: null, cat_max_ratio: 1 };

describe("resampling equals PyTorch's", () => {
  test.each(fixture.resized)("7x9 to $size", ({ size: [height, width], ...expected }) => {
    const whole = { top: 0, left: 0, height, width };
    const out = new Float32Array(height * width * 3);
    resizeImage(image, source, { height, width }, whole, out, width);
    const torch = floats(expected.image);
    expect(Math.max(...out.map((v, k) => Math.abs(v - torch[k]!)))).toBeLessThan(1e-4);
    const labels = new Uint8Array(height * width);
    resizeLabel(label, source, { height, width }, whole, labels, width);
    expect(labels).toEqual(bytes(expected.label));
  });
});

test("a crop of a deferred resize is that crop of the resized sample", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const scale = create("random_scale", { range: [0.5, 3] });
    const cut = create("random_crop", crop);
    const lazily = cut.applyDeferred!(
      scale.applyDeferred!(raw(), new Random(seed)) as DeferredSample,
      new Random(seed, 1),
    );
    const eagerly = await cut.apply(await scale.apply(settle(raw()), new Random(seed)), new Random(seed, 1));
    expect(lazily).toEqual(eagerly);
  }
});

test("two resizes in a row are two, deferred or not", async () => {
  const first = create("resize", { size: [4, 6], label: true });
  const second = create("random_scale", { range: [2, 2] });
  const deferred = second.applyDeferred!(
    first.applyDeferred!(raw(), new Random(0)) as DeferredSample,
    new Random(0),
  );
  const eager = await second.apply(await first.apply(settle(raw()), new Random(0)), new Random(0));
  expect("source" in deferred ? settle(deferred) : deferred).toEqual(eager);
  expect([eager.height, eager.width]).toEqual([8, 12]);
});

test("a crop larger than the sample pads at the bottom and the right: label ignored, image 0 once normalised", () => {
  const sample = create("random_crop", crop, [9, 12]).applyDeferred!(raw(), new Random(0)) as Sample;
  expect([sample.height, sample.width, sample.valid]).toEqual([
    9,
    12,
    { top: 0, left: 0, height: 7, width: 9 },
  ]);
  normalise(sample, { mean: [10, 20, 30], std: [2, 4, 8] });
  for (let y = 0; y < 9; y++)
    for (let x = 0; x < 12; x++) {
      const inside = y < 7 && x < 9;
      const p = y * 9 + x;
      expect(sample.label[y * 12 + x]).toBe(inside ? label[p] : 255);
      const k = (y * 12 + x) * 3;
      const pixel = inside
        ? [(image[3 * p]! - 10) / 2, (image[3 * p + 1]! - 20) / 4, (image[3 * p + 2]! - 30) / 8]
        : [0, 0, 0];
      expect(Array.from(sample.image.subarray(k, k + 3))).toEqual(pixel.map(Math.fround));
    }
});

test("crops fall uniformly on every place, the last included", () => {
  const cut = create("random_crop", crop);
  const column = {
    ...source,
    channels: 3,
    data: Uint8Array.from({ length: 189 }, (_, k) => Math.floor(k / 3)),
  };
  const positions = new Map<number, number>();
  for (let i = 0; i < 4000; i++) {
    const deferred = deferRaw({ id: "s", image: column, label: { ...source, data: label } });
    const { image } = cut.applyDeferred!(deferred, new Random(i)) as Sample;
    positions.set(image[0]!, (positions.get(image[0]!) ?? 0) + 1);
  }
  // 4 x 5 places; 200 expected at each, with a standard deviation of 14.
  expect(positions.size).toBe(20);
  expect(Math.min(...positions.values())).toBeGreaterThan(130);
  expect(Math.max(...positions.values())).toBeLessThan(270);
});

test("cat_max_ratio draws again until the crop shows more than one class", () => {
  const data = Uint8Array.from({ length: 63 }, (_, p) => (p % 9 === 8 ? 1 : 0));
  const varied = (ratio: number) => {
    let count = 0;
    for (let i = 0; i < 200; i++) {
      const deferred = deferRaw({
        id: "s",
        image: { ...source, channels: 3, data: image },
        label: { ...source, data },
      });
      const cut = create("random_crop", { size: null, cat_max_ratio: ratio });
      count += Number(new Set((cut.applyDeferred!(deferred, new Random(i)) as Sample).label).size > 1);
    }
    return count;
  };
  expect(varied(1)).toBeLessThan(70);
  expect(varied(0.9)).toBeGreaterThan(170);
});

test("a flip mirrors image, label and the valid rectangle", async () => {
  const padded = create("random_crop", crop, [9, 12]).applyDeferred!(raw(), new Random(0)) as Sample;
  const flipped = await create("random_flip", { probability: 1 }).apply(padded, new Random(0));
  expect(flipped.valid).toEqual({ top: 0, left: 3, height: 7, width: 9 });
  expect(flipped.label[3]).toBe(label[8]);
  expect(Array.from(flipped.image.subarray(9, 12))).toEqual(Array.from(image.subarray(24, 27)));
  expect(await create("random_flip", { probability: 1 }).apply(flipped, new Random(0))).toEqual(padded);
  expect(await create("random_flip", { probability: 0 }).apply(padded, new Random(0))).toBe(padded);
});

test("colour jitter adds one number to each channel", async () => {
  const sample = settle(raw());
  const { image: shifted } = await create("color_jitter", { shift: 10 }).apply(sample, new Random(0));
  for (const channel of [0, 1, 2]) {
    const added = Array.from(
      { length: 63 },
      (_, p) => shifted[3 * p + channel]! - sample.image[3 * p + channel]!,
    );
    expect(Math.max(...added) - Math.min(...added)).toBeLessThan(1e-4);
    expect(Math.abs(added[0]!)).toBeLessThanOrEqual(10);
  }
});

test("resize of the image alone keeps the label; a crop after it is refused", () => {
  const resized = create("resize", { size: [4, 4], label: false }).applyDeferred!(raw(), new Random(0));
  expect(settle(resized as DeferredSample)).toMatchObject({
    height: 4,
    width: 4,
    labelHeight: 7,
    labelWidth: 9,
    label,
  });
  const cut = create("random_crop", crop);
  expect(() => cut.applyDeferred!(resized as DeferredSample, new Random(0))).toThrow(
    "random_crop needs an image and a label of one size",
  );
});
