import { readFileSync } from "node:fs";
import { decode } from "fast-png";
import { afterAll, expect, it } from "vitest";
import { evaluationKeys } from "../../src/datasets/loader.ts";
import { createPipeline, sampleSource } from "../../src/datasets/source.ts";
import { cutPanel } from "../../src/reports/panel.ts";
import { drawSamples, SampleKeeper } from "../../src/runners/study_samples.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// Pictures of 48×40 pixels. The samples of a study are what its rows predicted, so the "predictions" here are
// the labels themselves, as an evaluation gets them.

const tiny = new TinyRun({ val: 2 });
afterAll(() => tiny.remove());

const colours = [
  [200, 40, 40],
  [40, 200, 40],
  [40, 40, 200],
] as const;

/** The first sample's pictures, at the size at which they are compared. */
async function draw(run: string, transforms: string, others = transforms) {
  const set = (steps: string) => tiny.load("data.test.split=val", `data.test.transforms=${steps}`);
  const rows = [];
  for (const [label, steps] of [
    ["one", transforms],
    ["two", others],
  ] as const) {
    const runDir = tiny.path(`${run}_${label}`);
    const { config } = await set(steps);
    const pipeline = await createPipeline(sampleSource(config, "test"));
    const { length: total } = pipeline.dataset;
    for (let index = 0; index < total; index++) {
      const sample = { ...(await pipeline.run(index, evaluationKeys(index))), index };
      const prediction = Int32Array.from(sample.label);
      await new SampleKeeper(runDir).keep({ sample, prediction, done: index + 1, total });
    }
    rows.push({ label, runDir });
  }
  const { samples, pictures } = await drawSamples(await set(transforms), rows);
  expect(samples.map(({ id, captions }) => [id, ...captions])).toEqual([
    ["0", "image", "label", "one", "two"],
    ["1", "image", "label", "one", "two"],
  ]);
  const [{ panel, columns, gap = 0 }] = samples as [(typeof samples)[number]];
  return (await cutPanel(pictures.get(panel)!, { count: 4, columns, gap })).map((png) => decode(png));
}

type Picture = Awaited<ReturnType<typeof draw>>[number];

/** Every n-th pixel from the middle of the first n×n on. */
function thinned({ data, width, height, channels }: Picture, n: number): number[][] {
  const first = Math.floor(n / 2);
  const pixels: number[][] = [];
  for (let y = first; y < height; y += n)
    for (let x = first; x < width; x += n) {
      const at = channels * (y * width + x);
      pixels.push([...data.slice(at, at + channels)]);
    }
  return pixels;
}

const file = (kind: "images" | "masks") => decode(readFileSync(`${tiny.data}/${kind}/val/0.png`));
const coloured = (mask: Picture, n: number) => thinned(mask, n).map(([c]) => [...colours[c!]!]);

it.each([
  ["no transforms", "[]", 1, 13],
  ["a resize of image and label", "[{type: resize, size: [20, 24]}]", 2, 26],
  ["a resize of the image alone", "[{type: resize, size: [20, 24], label: false}]", 1, 13],
])("with %s, pictures are at the size at which predictions are scored", async (_, transforms, n, scale) => {
  const [image, label, one, two] = await draw(`run_${n}_${transforms.length}`, transforms);
  const size = { width: (48 / n) * scale, height: (40 / n) * scale };
  for (const picture of [image, label, one, two]) expect(picture).toMatchObject(size);
  // A resize to a half takes the pixel behind the middle of each 2×2.
  const expected = coloured(file("masks"), n);
  for (const picture of [label, one, two]) expect(thinned(picture!, scale)).toEqual(expected);
  // The label is drawn as it is scored, not as it is in its file.
  for (const { data } of [one!, two!])
    expect(Buffer.compare(data as Uint8Array, label!.data as Uint8Array)).toBe(0);
  // The image is not blurred by what the network sees.
  expect(thinned(image!, 13)).toEqual(thinned(file("images"), 1));
});

it("shows what a crop leaves of the image", async () => {
  const [image, label, one] = await draw("crop", "[{type: random_crop, size: [16, 20]}]");
  const [pixels, classes] = [thinned(image!, 32), thinned(label!, 32)];
  expect(pixels).toHaveLength(16 * 20);
  expect(thinned(one!, 32)).toEqual(classes);
  // In these data a pixel is its class's colour but for ±20.
  const distance = pixels.flatMap((pixel, i) => pixel.map((value, c) => Math.abs(value - classes[i]![c]!)));
  expect(Math.max(...distance)).toBeLessThanOrEqual(20);
});

it("stretches a row whose test transforms give another size", async () => {
  const [, label, one, two] = await draw("mixed", "[]", "[{type: resize, size: [20, 24]}]");
  expect(thinned(one!, 13)).toEqual(thinned(label!, 13));
  expect(thinned(two!, 26)).toEqual(coloured(file("masks"), 2));
});
