import { decode } from "fast-png";
import sharp from "sharp";
import { expect, it } from "vitest";
import { colourMap, encodeIndex, encodeRgb, overlay } from "../../src/reports/pictures.ts";

const palette: [number, number, number][] = [
  [255, 0, 0],
  [0, 200, 0],
];

it("class colours; pixels that are no class are black", () => {
  expect([...colourMap([1, 0, 255], palette)]).toEqual([0, 200, 0, 255, 0, 0, 0, 0, 0]);
});

it("an overlay is the mean of image and colour by opacity; pixels that are no class stay", () => {
  const image = Uint8Array.of(100, 100, 100, 10, 20, 30);
  expect([...overlay(image, [1, 255], palette, 0.25)]).toEqual([75, 125, 75, 10, 20, 30]);
  expect([...image]).toEqual([100, 100, 100, 10, 20, 30]);
});

it("index PNGs hold the class numbers, read by another library", async () => {
  const classes = Uint8Array.from({ length: 35 }, (_, i) => i * 7);
  const png = encodeIndex(classes, 5, 7);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.height, info.width]).toEqual([5, 7]);
  expect(Array.from({ length: 35 }, (_, i) => data[i * info.channels])).toEqual([...classes]);
});

it("colour PNGs are exact", async () => {
  const data = Uint8Array.from({ length: 3 * 4 * 5 }, (_, i) => (i * 37) % 256);
  const read = decode(await encodeRgb(data, 4, 5));
  expect([read.height, read.width, read.channels]).toEqual([4, 5, 3]);
  expect([...read.data]).toEqual([...data]);
});
