import type {
  Dataset,
  DeferredSample,
  ImageFormat,
  Sample,
  Transform,
  TransformInputs,
  TransformRecord,
} from "./contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { Random } from "../util/random.ts";
import { fitImage } from "./image_format.ts";
import { channelsOf, deferRaw, settle } from "./sample.ts";

export interface Preprocess {
  /** Of the images' values, by channel: 0..255, or 0..65535 where `bits` is 16. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Default 8. */
  readonly bits?: 8 | 16;
}

/** What a network takes: a number of the mean for each channel is a rule of configs. */
export function formatOf({ mean, bits = 8 }: Preprocess): ImageFormat {
  return { channels: mean.length, bits };
}

/** Reads a sample, takes it through the transforms and normalises it. */
export class Pipeline {
  private constructor(
    readonly dataset: Dataset,
    private readonly transforms: readonly Transform[],
    private readonly preprocess: Preprocess,
  ) {}

  /** @param find the record of a transform's type */
  static create(
    dataset: Dataset,
    steps: readonly ComponentConfig[],
    preprocess: Preprocess,
    inputs: TransformInputs,
    find: (type: string) => TransformRecord,
  ): Pipeline {
    const transforms = steps.map(({ type, ...options }) => find(type).create(options, inputs));
    return new Pipeline(dataset, transforms, preprocess);
  }

  /**
   * @param index the data set's sample
   * @param keys what the random choices depend on; transform k draws from the stream `[...keys, "transform/k"]`
   */
  async run(index: number, keys: readonly (string | number)[]): Promise<Sample> {
    const raw = await this.dataset.load(index);
    const image = fitImage(raw.image, formatOf(this.preprocess), this.dataset.files(index)?.image ?? raw.id);
    let sample: DeferredSample | Sample = deferRaw({ ...raw, image });
    for (const [k, transform] of this.transforms.entries()) {
      const random = new Random(...keys, `transform/${k}`);
      if (isDeferred(sample) && transform.applyDeferred !== undefined) {
        sample = transform.applyDeferred(sample, random);
      } else {
        sample = await transform.apply(isDeferred(sample) ? settle(sample) : sample, random);
      }
    }
    const settled = isDeferred(sample) ? settle(sample) : sample;
    normalise(settled, this.preprocess);
    if (raw.remarks !== undefined && raw.remarks.length > 0) settled.remarks = raw.remarks;
    return settled;
  }
}

const isDeferred = (sample: DeferredSample | Sample): sample is DeferredSample => "source" in sample;

/** (pixel − mean) / std in place; 0 outside the valid rectangle. */
export function normalise(sample: Sample, { mean, std }: Preprocess): void {
  const { image, width, height, valid } = sample;
  const channels = channelsOf(sample);
  const right = valid.left + valid.width;
  const bottom = valid.top + valid.height;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    const end = row + width * channels;
    if (y < valid.top || y >= bottom) {
      image.fill(0, row, end);
      continue;
    }
    const [first, last] = [row + valid.left * channels, row + right * channels];
    image.fill(0, row, first);
    for (let c = 0; c < channels; c++) {
      const [m, s] = [mean[c]!, std[c]!];
      for (let k = first + c; k < last; k += channels) image[k] = (image[k]! - m) / s;
    }
    image.fill(0, last, end);
  }
}
