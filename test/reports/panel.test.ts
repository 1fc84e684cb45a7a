import { decode } from "fast-png";
import sharp from "sharp";
import { expect, it } from "vitest";
import { cutPanel, renderPanel, type Panel } from "../../src/reports/panel.ts";
import { colourMap } from "../../src/reports/pictures.ts";

const palette: [number, number, number][] = [
  [255, 0, 0],
  [0, 200, 0],
  [0, 0, 100],
];
const white = [255, 255, 255];

/** A panel's pictures as RGB, each at the size that it was drawn from: the middle of each enlarged pixel. */
async function picturesOf({ png, columns, gap }: Panel, count: number, height: number, width: number) {
  const pictures = await cutPanel(png, { count, columns, gap });
  return pictures.map((picture) => {
    const { data, width: drawn, height: lines, channels } = decode(picture);
    expect([lines % height, drawn % width, channels]).toEqual([0, 0, 3]);
    const at = (y: number, x: number) => {
      const [row, column] = [((y + 0.5) * lines) / height, ((x + 0.5) * drawn) / width].map(Math.floor);
      return [...data.slice(3 * (row! * drawn + column!), 3 * (row! * drawn + column! + 1))];
    };
    return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => at(y, x))).flat(
      2,
    );
  });
}

it("two pictures side by side, small ones in a multiple of their size, white between them and behind the last", async () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const panel = await renderPanel({
    image: { height: 1, width: 2, data: image },
    label: { height: 1, width: 2, data: [0, 1] },
    predictions: [{ height: 1, width: 2, name: "a", data: [1, 255] }],
    palette,
  });
  const { width, height, data } = decode(panel.png);
  expect({ width, height, gap: panel.gap }).toEqual({ width: 1300, height: 660, gap: 20 });
  const pixel = (x: number, y: number) => [...data.slice(3 * (y * width + x), 3 * (y * width + x + 1))];
  expect([639, 640, 659, 660].map((x) => pixel(x, 0))).toEqual([[4, 5, 6], white, white, palette[0]]);
  expect([319, 320, 339, 340].map((y) => pixel(0, y))).toEqual([[1, 2, 3], white, white, palette[1]]);
  expect([pixel(660, 340), pixel(1299, 659)]).toEqual([white, white]);
  expect(await picturesOf(panel, 3, 1, 2)).toEqual([
    [...image],
    [255, 0, 0, 0, 200, 0],
    [0, 200, 0, 0, 0, 0],
  ]);
});

it("class maps of other sizes are stretched to the label's without new colours", async () => {
  const panel = await renderPanel({
    image: { height: 2, width: 4, data: new Uint8Array(24).fill(50) },
    label: { height: 2, width: 4, data: [0, 0, 1, 1, 2, 2, 2, 2] },
    predictions: [
      { name: "half", height: 1, width: 2, data: [1, 2] },
      {
        name: "double",
        height: 4,
        width: 8,
        data: Array.from({ length: 32 }, (_, i) => (i % 8 < 2 ? 0 : 2)),
      },
    ],
    palette,
  });
  const [, label, half, double] = await picturesOf(panel, 4, 2, 4);
  expect(label).toEqual([...colourMap([0, 0, 1, 1, 2, 2, 2, 2], palette)]);
  expect(half).toEqual([...colourMap([1, 1, 2, 2, 1, 1, 2, 2], palette)]);
  expect(double).toEqual([...colourMap([0, 2, 2, 2, 0, 2, 2, 2], palette)]);
});

it("an image that is larger than its label keeps what there is room for", async () => {
  const [height, width] = [640, 480];
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7) % 256);
  const panel = await renderPanel({
    image: { height, width, data },
    label: { height: 320, width: 240, data: new Uint8Array(320 * 240) },
    predictions: [],
    palette,
  });
  const [image] = await cutPanel(panel.png, { count: 2, ...panel });
  expect(Buffer.compare(decode(image!).data as Uint8Array, data)).toBe(0);
});

it("panels without gaps, as earlier versions made them, are cut as well; what is none is left out", async () => {
  const data = Uint8Array.from({ length: 2 * 6 * 3 }, (_, i) => i);
  const png = await sharp(data, { raw: { width: 6, height: 2, channels: 3 } })
    .png()
    .toBuffer();
  const pictures = await cutPanel(png, { count: 5, columns: 3, gap: 0 });
  expect(pictures.map((picture) => [...decode(picture).data])).toEqual(
    [0, 6, 12, 18, 24].map((first) => Array.from({ length: 6 }, (_, i) => first + i)),
  );
  expect(await cutPanel(png, { count: 8, columns: 4, gap: 0 })).toEqual([]);
  expect(await cutPanel(Buffer.from("no picture"), { count: 2, columns: 2, gap: 0 })).toEqual([]);
});
