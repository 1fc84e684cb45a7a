import { SegfuseError } from "../errors.ts";
import type { Batch, Dataset, DatasetInfo, EvaluationSample, Sample } from "./contracts.ts";
import { DataOrder } from "./order.ts";
import { channelsOf } from "./sample.ts";
import { RemarkCounter, type RemarkCount, type SampleRemark } from "./sample_remarks.ts";
import { createDataset, sampleSource, type DataConfig, type DataSection } from "./source.ts";
import { createSampleMaker, type SampleMaker } from "./workers/pool.ts";

/** How many batches are made ahead of the one that training works on. */
const batchesAhead = 3;

/** A split of a config's data set. */
export function openDataset(config: DataConfig, section: DataSection): Promise<Dataset> {
  return createDataset(sampleSource(config, section));
}

export interface TrainLoaderOptions {
  readonly config: DataConfig;
  readonly seed: number;
  /** The update to go on from. */
  readonly firstIteration: number;
  /** The update to end before: `schedule.iterations`. */
  readonly iterations: number;
}

export interface TrainLoader {
  readonly info: DatasetInfo;
  /** Samples of the split. */
  readonly length: number;
  /** Seconds that `next` has kept its caller waiting. */
  readonly waitSeconds: number;
  /**
   * The next `data.batch_size` samples; `optimizer.accumulate` calls make one update.
   * @throws SegfuseError of the first sample of the batch that cannot be made; the loader is of no use afterwards
   */
  next(): Promise<Batch>;
  /** Ends the workers. */
  close(): Promise<void>;
}

/**
 * Batches of the training split, decoded and augmented by worker threads a few batches ahead.
 *
 * Update t takes the samples n = t · B + i of the endless stream (see {@link DataOrder}), B = batch_size ×
 * accumulate, and every random choice follows from (seed, t, i, transform). So batches are the same, bit for bit,
 * with any number of workers, after a resume, and however B is divided into batches.
 */
export async function openTrainLoader(options: TrainLoaderOptions): Promise<TrainLoader> {
  const { config } = options;
  const source = sampleSource(config, "train");
  const dataset = await createDataset(source);
  return new StreamLoader(options, dataset, await createSampleMaker(source, config.data.workers, dataset));
}

class StreamLoader implements TrainLoader {
  waitSeconds = 0;
  readonly info: DatasetInfo;
  readonly length: number;
  private readonly order: DataOrder;
  private readonly batchSize: number;
  private readonly updateSize: number;
  private readonly seed: number;
  /** Batches that are being made, oldest first. */
  private readonly ahead: Promise<PromiseSettledResult<Sample>[]>[] = [];
  private readonly queueLength: number;
  /** Counts samples from the start of the whole run. */
  private requested: number;
  private readonly end: number;

  constructor(
    { config, seed, firstIteration, iterations }: TrainLoaderOptions,
    dataset: Dataset,
    private readonly maker: SampleMaker,
  ) {
    this.info = dataset.info;
    this.length = dataset.length;
    this.seed = seed;
    this.order = new DataOrder(dataset.length, seed);
    this.batchSize = config.data.batch_size;
    this.updateSize = this.batchSize * config.optimizer.accumulate;
    this.requested = firstIteration * this.updateSize;
    this.end = iterations * this.updateSize;
    this.queueLength = config.data.workers > 0 ? batchesAhead : 0;
    while (this.ahead.length < this.queueLength && this.request());
  }

  async next(): Promise<Batch> {
    const start = performance.now();
    this.request();
    const making = this.ahead.shift();
    if (making === undefined) throw new RangeError("no more batches: the schedule has ended");
    const results = await making;
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const batch = collate(results.map((result) => (result as PromiseFulfilledResult<Sample>).value));
    this.waitSeconds += (performance.now() - start) / 1000;
    return batch;
  }

  close(): Promise<void> {
    return this.maker.close();
  }

  /** Has the next batch made, if there is one. */
  private request(): boolean {
    if (this.requested >= this.end) return false;
    const samples = Array.from({ length: this.batchSize }, (_, k) => {
      const n = this.requested + k;
      const iteration = Math.floor(n / this.updateSize);
      return this.maker.make(this.order.at(n), [this.seed, iteration, n % this.updateSize]);
    });
    this.requested += this.batchSize;
    this.ahead.push(Promise.allSettled(samples));
    return true;
  }
}

function collate(samples: readonly Sample[]): Batch {
  const { height, width } = samples[0]!;
  const imageValues = height * width * channelsOf(samples[0]!);
  const images = new Float32Array(samples.length * imageValues);
  const labels = new Int32Array(samples.length * height * width);
  for (const [i, s] of samples.entries()) {
    if (s.height !== height || s.width !== width || s.labelHeight !== height || s.labelWidth !== width)
      throw new SegfuseError("SEGFUSE_DATA_OPTION", "the images and labels of a batch differ in size", {
        where: `data.train.transforms (sample ${s.id})`,
        expected: `${width}x${height}, as ${samples[0]!.id}`,
        found: `an image of ${s.width}x${s.height}, a label of ${s.labelWidth}x${s.labelHeight}`,
        advice: "end the transforms that resize with random_crop or resize",
      });
    images.set(s.image, i * imageValues);
    labels.set(s.label, i * height * width);
  }
  return { ids: samples.map((s) => s.id), height, width, images, labels };
}

export interface EvaluationLoaderOptions {
  readonly config: DataConfig;
  readonly section: "val" | "test";
  /** So many samples, spread evenly over the split; all of them by default. */
  readonly limit?: number;
}

export interface EvaluationLoader {
  readonly info: DatasetInfo;
  /** How many samples `samples` gives. */
  readonly length: number;
  /** The samples in order, decoded a few ahead by worker threads. May be called again. */
  samples(): AsyncIterable<EvaluationSample>;
  /** What was odd about the images that `samples` has given, and stopped nothing. */
  remarks(): RemarkCount[];
  /** Ends the workers. */
  close(): Promise<void>;
}

/** The whole images of a split, one by one, each with its label at the label's own size. */
export async function openEvaluationLoader(options: EvaluationLoaderOptions): Promise<EvaluationLoader> {
  const { config, section } = options;
  const { workers } = config.data;
  const source = sampleSource(config, section);
  const dataset = await createDataset(source);
  const maker = await createSampleMaker(source, workers, dataset);
  const length = Math.min(options.limit ?? dataset.length, dataset.length);
  const remarks = new RemarkCounter();
  const remark = (index: number, found: readonly SampleRemark[]) =>
    remarks.add(found, index, dataset.files(index)?.image ?? dataset.id(index));
  return {
    info: dataset.info,
    length,
    samples: () => inOrder(spread(dataset.length, length), maker, 2 * workers, remark),
    remarks: () => remarks.counts(),
    close: () => maker.close(),
  };
}

/** `count` of the numbers 0..length-1, evenly spread and rising. */
export function spread(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.floor((k * length) / count));
}

/** What the random choices of transforms depend on at evaluation: the sample alone. */
export function evaluationKeys(index: number): (string | number)[] {
  return ["evaluation", index];
}

async function* inOrder(
  indices: readonly number[],
  maker: SampleMaker,
  lookAhead: number,
  remark: (index: number, found: readonly SampleRemark[]) => void,
): AsyncGenerator<EvaluationSample> {
  const making: Promise<Sample>[] = [];
  let requested = 0;
  for (const index of indices) {
    for (; requested < indices.length && making.length <= lookAhead; requested++) {
      const next = indices[requested]!;
      const sample = maker.make(next, evaluationKeys(next));
      // Its failure is thrown when its turn comes, which may be never.
      sample.catch(() => {});
      making.push(sample);
    }
    const { id, height, width, image, labelHeight, labelWidth, label, remarks } = await making.shift()!;
    if (remarks !== undefined) remark(index, remarks);
    yield { index, id, height, width, image, labelHeight, labelWidth, label };
  }
}
