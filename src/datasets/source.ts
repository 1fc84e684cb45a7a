import { SegfuseError } from "../errors.ts";
import type { Dataset, DatasetRecord, TransformRecord } from "./contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { dataContracts } from "./guard.ts";
import { guardRecord } from "../registry/guard/guard.ts";
import { importPlugin } from "../registry/plugins.ts";
import { datasets } from "./index.ts";
import { formatOf, Pipeline, type Preprocess } from "./pipeline.ts";
import { transforms } from "./transforms/index.ts";

/** Everything that a thread needs to make samples: plain data, so that it can be sent to a worker. */
export interface SampleSource {
  readonly dataset: ComponentConfig;
  readonly split: string;
  readonly transforms: readonly ComponentConfig[];
  readonly cropSize: readonly [number, number];
  readonly preprocess: Preprocess;
  /** Modules with components of the user's own. */
  readonly plugins: readonly string[];
}

/** The part of a resolved config that data depend on. */
export interface DataConfig {
  readonly plugins: readonly string[];
  readonly model: { readonly preprocess: Preprocess };
  readonly data: {
    readonly dataset: ComponentConfig;
    readonly batch_size: number;
    readonly workers: number;
    readonly crop_size: readonly [number, number];
  } & Readonly<
    Record<DataSection, { readonly split: string; readonly transforms: readonly ComponentConfig[] }>
  >;
  readonly optimizer: { readonly accumulate: number };
}

export type DataSection = "train" | "val" | "test";

export function sampleSource(config: DataConfig, section: DataSection): SampleSource {
  const { dataset, crop_size: cropSize } = config.data;
  const { split, transforms } = config.data[section];
  return {
    dataset,
    split,
    transforms,
    cropSize,
    preprocess: config.model.preprocess,
    plugins: config.plugins,
  };
}

/**
 * The data set of a source. Only data sets and transforms are imported, no network and no engine: a worker
 * thread starts quickly and stays small.
 */
export async function createDataset(source: SampleSource): Promise<Dataset> {
  return openDatasetWith(source, await dataRecords(source));
}

export async function createPipeline(source: SampleSource): Promise<Pipeline> {
  const records = await dataRecords(source);
  const dataset = await openDatasetWith(source, records);
  const { ignoreIndex, classes } = dataset.info;
  const inputs = { cropSize: source.cropSize, ignoreIndex, numClasses: classes.length };
  return Pipeline.create(dataset, source.transforms, source.preprocess, inputs, (type) =>
    find(records.transforms, "transform", type),
  );
}

interface DataRecords {
  readonly datasets: readonly DatasetRecord[];
  readonly transforms: readonly TransformRecord[];
}

/**
 * The built-in records and, where the source names others, those of its plug-ins: a plug-in with a neck brings
 * TensorFlow.js along, which no worker needs.
 */
async function dataRecords({ dataset, transforms: steps, plugins }: SampleSource): Promise<DataRecords> {
  const added = { datasets: [...datasets], transforms: [...transforms] };
  const isOurs =
    datasets.some(({ type }) => type === dataset.type) &&
    steps.every((step) => transforms.some(({ type }) => type === step.type));
  for (const plugin of isOurs ? [] : plugins) {
    const { path, records } = await importPlugin(plugin, plugin, null); // absolute in a resolved config
    for (const record of records) {
      if (record.kind === "dataset") {
        added.datasets.push(guardRecord(record as DatasetRecord, path, dataContracts.dataset));
      } else if (record.kind === "transform") {
        added.transforms.push(guardRecord(record as TransformRecord, path, dataContracts.transform));
      }
    }
  }
  return added;
}

async function openDatasetWith(source: SampleSource, records: DataRecords): Promise<Dataset> {
  const { dataset, split, preprocess } = source;
  const { type, ...options } = dataset;
  return find(records.datasets, "dataset", type).create(options, { split, image: formatOf(preprocess) });
}

function find<R extends { type: string }>(records: readonly R[], kind: string, type: string): R {
  const record = records.find((r) => r.type === type);
  if (record !== undefined) return record;
  throw new SegfuseError("SEGFUSE_UNKNOWN_COMPONENT", `there is no ${kind} '${type}'`, {
    found: type,
    expected: `one of ${records.map((r) => r.type).join(", ")}`,
  });
}
