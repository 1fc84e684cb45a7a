import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decode } from "fast-png";
import type { LoadedConfig } from "../config/load.ts";
import { openDataset, spread } from "../datasets/loader.ts";
import type { EvaluatedImage } from "../evaluation/contracts.ts";
import { encodeIndex, panelCaptions, renderPanel } from "../reports/pictures.ts";
import type { StudySample } from "../reports/study_schema.ts";
import { writeFileAtomic } from "../util/atomic_file.ts";

/** Images that the report shows. */
const sampleCount = 3;

/** Keeps a run's predictions of the images that the report will show, as index PNGs in `RUN/samples/`. */
export class SampleKeeper {
  private readonly folder: string;

  constructor(runDir: string) {
    this.folder = join(runDir, "samples");
  }

  /** For `testCheckpoint`'s `onImage`. */
  keep = async ({ sample, prediction, total }: EvaluatedImage): Promise<void> => {
    if (!spread(total, sampleCount).includes(sample.index)) return;
    await writeFileAtomic(
      this.file(sample.index),
      encodeIndex(prediction, sample.labelHeight, sample.labelWidth),
    );
  };

  /** Class numbers, row by row; null where the run did not keep that image. */
  async read(index: number): Promise<Uint8Array | null> {
    const bytes = await readFile(this.file(index)).catch(() => null);
    return bytes === null ? null : Uint8Array.from(decode(bytes).data);
  }

  private file(index: number): string {
    return join(this.folder, `${index}.png`);
  }
}

/**
 * Draws image, label and each row's prediction side by side, for a few images spread over the test split.
 *
 * @param rows name and run folder of each row, in the table's order
 * @returns the report's entries, and the PNG files by the path that the entries name
 */
export async function drawSamples(
  loaded: LoadedConfig,
  rows: readonly { readonly label: string; readonly runDir: string }[],
): Promise<{ samples: StudySample[]; pictures: Map<string, Uint8Array> }> {
  const dataset = await openDataset(loaded.config, "test");
  const samples: StudySample[] = [];
  const pictures = new Map<string, Uint8Array>();
  for (const index of spread(dataset.length, sampleCount)) {
    const predictions: { name: string; data: Uint8Array }[] = [];
    for (const { label, runDir } of rows) {
      const data = await new SampleKeeper(runDir).read(index);
      if (data !== null) predictions.push({ name: label, data });
    }
    if (predictions.length === 0) continue;
    const { id, image, label } = await dataset.load(index);
    const columns = Math.ceil((predictions.length + 2) / 2);
    const panel = `samples/${samples.length + 1}.png`;
    const png = await renderPanel({
      image: image.data,
      label: label.data,
      predictions,
      palette: dataset.info.palette,
      height: image.height,
      width: image.width,
      columns,
    });
    pictures.set(panel, png);
    samples.push({ id, panel, columns, captions: panelCaptions(predictions) });
  }
  return { samples, pictures };
}
