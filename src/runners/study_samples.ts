import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decode } from "fast-png";
import type { LoadedConfig } from "../config/load.ts";
import type { RawImage, Sample } from "../datasets/contracts.ts";
import { evaluationKeys, spread } from "../datasets/loader.ts";
import type { Preprocess } from "../datasets/pipeline.ts";
import { createPipeline, sampleSource } from "../datasets/source.ts";
import type { EvaluatedImage } from "../evaluation/contracts.ts";
import { panelCaptions, renderPanel, type ClassPicture, type PanelInputs } from "../reports/panel.ts";
import { withoutMachine } from "../reports/paths.ts";
import { encodeIndex, shownPicture } from "../reports/pictures.ts";
import type { StudySample } from "../reports/study_schema.ts";
import { writeFileAtomic } from "../util/atomic_file.ts";

/** Images that the report shows. */
const sampleCount = 3;

/** Which of a split's images the report shows. */
function shownImages(total: number): number[] {
  return spread(total, Math.min(sampleCount, total));
}

/** Keeps a run's predictions of the images that the report will show, as index PNGs in `RUN/samples/`. */
export class SampleKeeper {
  private readonly folder: string;

  constructor(runDir: string) {
    this.folder = join(runDir, "samples");
  }

  /** For `testCheckpoint`'s `onImage`. */
  keep = async ({ sample, prediction, total }: EvaluatedImage): Promise<void> => {
    if (!shownImages(total).includes(sample.index)) return;
    await writeFileAtomic(
      this.file(sample.index),
      encodeIndex(
        prediction,
        sample.labelHeight,
        sample.labelWidth,
        sample.label instanceof Uint16Array ? 16 : 8,
      ),
    );
  };

  /** The prediction as it was scored; null where the run did not keep that image. */
  async read(index: number): Promise<ClassPicture | null> {
    const bytes = await readFile(this.file(index)).catch(() => null);
    return bytes === null ? null : decode(bytes);
  }

  private file(index: number): string {
    return join(this.folder, `${index}.png`);
  }
}

/**
 * Draws image, label and each row's prediction, for a few images spread over the test split: the label as it is
 * scored, after the transforms of `data.test`, and everything else at its size.
 *
 * @param rows name and run folder of each row, in the table's order
 * @returns the report's entries, and the PNG files by the path that the entries name
 */
export async function drawSamples(
  { config }: LoadedConfig,
  rows: readonly { readonly label: string; readonly runDir: string }[],
): Promise<{ samples: StudySample[]; pictures: Map<string, Uint8Array> }> {
  const source = sampleSource(config, "test");
  const pipeline = await createPipeline(source);
  const { dataset } = pipeline;
  const isWhole = source.transforms.every(({ type }) => type === "resize");
  const samples: StudySample[] = [];
  const pictures = new Map<string, Uint8Array>();
  for (const index of shownImages(dataset.length)) {
    const predictions: PanelInputs["predictions"][number][] = [];
    for (const { label, runDir } of rows) {
      const prediction = await new SampleKeeper(runDir).read(index);
      if (prediction !== null) predictions.push({ ...prediction, name: label });
    }
    if (predictions.length === 0) continue;
    const sample = await pipeline.run(index, evaluationKeys(index));
    const { png, columns, gap } = await renderPanel({
      // What was only resized is the sharpest as it is in its file.
      image: shownImage(isWhole ? (await dataset.load(index)).image : seenImage(sample, source.preprocess)),
      label: { data: sample.label, height: sample.labelHeight, width: sample.labelWidth },
      predictions,
      palette: dataset.info.palette,
    });
    const panel = `samples/${samples.length + 1}.png`;
    pictures.set(panel, png);
    samples.push({
      id: withoutMachine(sample.id),
      panel,
      columns,
      gap,
      captions: panelCaptions(predictions),
    });
  }
  return { samples, pictures };
}

function shownImage(image: RawImage): PanelInputs["image"] {
  return { data: shownPicture(image), height: image.height, width: image.width };
}

/** The image as the network sees it, its normalisation undone. */
function seenImage({ image, height, width }: Sample, { mean, std, bits }: Preprocess): RawImage {
  const channels = mean.length;
  const value = (v: number, i: number) => v * std[i % channels]! + mean[i % channels]!;
  const data =
    bits === 16
      ? Uint16Array.from(image, (v, i) => Math.min(Math.max(Math.round(value(v, i)), 0), 65_535))
      : new Uint8Array(Uint8ClampedArray.from(image, value).buffer);
  return { data, height, width, channels };
}
