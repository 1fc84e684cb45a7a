import type {
  Dataset,
  DeferredSample,
  Sample,
  Transform,
  TransformInputs,
  TransformRecord,
} from "./contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { Random } from "../util/random.ts";
import { deferRaw, settle } from "./sample.ts";

export interface Preprocess {
  /** Of 0..255 RGB, by channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
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
    let sample: DeferredSample | Sample = deferRaw(raw);
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
export function normalise({ image, width, height, valid }: Sample, { mean, std }: Preprocess): void {
  const [m0, m1, m2] = mean as [number, number, number];
  const [s0, s1, s2] = std as [number, number, number];
  const right = valid.left + valid.width;
  const bottom = valid.top + valid.height;
  for (let y = 0, k = 0; y < height; y++) {
    if (y < valid.top || y >= bottom) {
      image.fill(0, k, (k += width * 3));
      continue;
    }
    for (let x = 0; x < width; x++, k += 3) {
      const inside = x >= valid.left && x < right;
      image[k] = inside ? (image[k]! - m0) / s0 : 0;
      image[k + 1] = inside ? (image[k + 1]! - m1) / s1 : 0;
      image[k + 2] = inside ? (image[k + 2]! - m2) / s2 : 0;
    }
  }
}
