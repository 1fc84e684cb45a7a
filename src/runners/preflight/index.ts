import type { Config } from "../../config/sections.ts";
import { checkData, type CheckDataOptions, type DataCheck } from "../../datasets/check.ts";
import type { DatasetInfo } from "../../datasets/contracts.ts";
import { remarkText } from "../../datasets/sample_remarks.ts";
import type { SegfuseError } from "../../errors.ts";
import type { Segmentor } from "../../models/segmentor.ts";
import type { Registry } from "../../kinds.ts";
import { optionsOf } from "../../registry/make.ts";
import { hasOwnOption } from "../../registry/record.ts";
import type { Scope } from "../../registry/scope.ts";
import { globMatcher } from "../../util/glob.ts";
import type { Logger } from "../../util/logger.ts";
import { trainingMetrics } from "../../training/metrics.ts";
import { runParts } from "../../training/tokens.ts";
import { countParameters } from "../network.ts";
import { shareNetwork } from "../scope.ts";
import { collect, throwAll } from "./complaints.ts";
import { estimateDisk, optimizerBytes, requireDisk, type DiskEstimate } from "./disk.ts";
import { labelWarnings } from "./labels.ts";
import { estimateMemory, type MemoryEstimate } from "./memory.ts";
import { cellWarning, requireChannels, traceNetwork } from "./network.ts";
import { checkInitialClasses } from "./weights.ts";

export { PreflightError } from "./complaints.ts";
export { availableMemory, memoryWarning, type MemoryEstimate } from "./memory.ts";
export { formatPreflight } from "./text.ts";

export interface PreflightInputs {
  /** Gets the data set's information and the network. */
  readonly scope: Scope;
  /** The checkpoint that a new run starts from; null: none, or the run is resumed. */
  readonly initFrom: string | null;
  readonly allowFresh: readonly string[];
  /** Samples of each split that are decoded; Infinity: all. Default: a few. */
  readonly samples?: number;
}

/** What was found before the first update. */
export interface Preflight {
  readonly data: DataCheck;
  readonly info: DatasetInfo;
  /** The config's network, without values yet. */
  readonly segmentor: Segmentor;
  readonly parameters: { readonly total: number; readonly trained: number };
  readonly disk: DiskEstimate;
  /** Null where a plug-in's component cannot be followed by shapes. */
  readonly memory: MemoryEstimate | null;
  /** What is odd and no error, in words; told to the logger as well. */
  readonly warnings: readonly string[];
}

/**
 * Looks for everything that would keep a run from working, or spoil it, and needs no engine: data, classes,
 * channels, the network at the run's sizes, metrics, disk. It writes nothing.
 *
 * @throws PreflightError with all complaints at once
 */
export async function preflight(inputs: PreflightInputs): Promise<Preflight> {
  const parts = runParts(inputs.scope);
  const { loaded, workDir, registry, logger } = parts;
  const { config } = loaded;
  const complaints: SegfuseError[] = [];
  const warnings: string[] = [];
  const data = await checkData(config, dataOptions(inputs, logger));
  complaints.push(...data.complaints);
  warnings.push(...dataWarnings(data, config, registry));
  await collect(complaints, () => requireChannels(config, data));
  // Without classes there is no network.
  const { info } = data;
  if (info !== null) shareNetwork(inputs.scope, info);
  const segmentor = info === null ? null : await collect(complaints, () => parts.segmentor);
  if (info === null || segmentor === null) throwAll(complaints);

  await collect(complaints, () => trainingMetrics(parts));
  const found = { info: info!, segmentor: segmentor! };
  const classes = () => checkInitialClasses(inputs.initFrom, found.info, config, inputs.allowFresh);
  const aboutClasses = await collect(complaints, classes);
  const aboutCells = cellWarning(config, found.segmentor, data, registry);
  warnings.push(...paramwiseWarnings(config, registry, found.segmentor));
  const trace = await collect(complaints, () => follow(config, registry, found.segmentor, data, warnings));
  const disk = await estimateDisk(config, found.segmentor, registry, workDir);
  await collect(complaints, () => requireDisk(disk, workDir));
  throwAll(complaints);

  for (const warning of [aboutClasses, aboutCells]) if (warning !== null) warnings.push(warning);
  for (const warning of warnings) logger.warn(warning);
  const run = {
    optimizerState: optimizerBytes(config, found.segmentor, registry),
    checkpoint: disk.checkpoint,
    workers: config.data.workers,
  };
  const memory = trace && estimateMemory(trace, run);
  return { data, ...found, parameters: parametersOf(found.segmentor), disk, memory, warnings };
}

function dataOptions({ samples }: PreflightInputs, logger: Logger): CheckDataOptions {
  return { ...(samples === undefined ? {} : { samples }), onProgress: (line) => logger.step(line) };
}

/** The trace; null, with a warning, where a plug-in's component cannot be followed. */
function follow(
  config: Config,
  registry: Registry,
  segmentor: Segmentor,
  data: DataCheck,
  warnings: string[],
) {
  try {
    return traceNetwork(config, registry, segmentor, data);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code !== "SEGFUSE_TRACE_OPERATION" && code !== "SEGFUSE_TRACE_VALUES") throw error;
    warnings.push(`memory cannot be foretold: ${(error as Error).message}`);
    return null;
  }
}

/** A rule for parameters that matches none was meant for something; an optimiser may have an own option of that name. */
function paramwiseWarnings({ optimizer }: Config, registry: Registry, segmentor: Segmentor): string[] {
  if (hasOwnOption(registry.get("optimizer", optimizer.type), "paramwise")) return [];
  const names = [...segmentor.namedParameters()].map(([name]) => name);
  return optimizer.paramwise.flatMap(({ match }, i) =>
    names.some(globMatcher(match)) ? [] : [`optimizer.paramwise.${i}: no parameter's name matches ${match}`],
  );
}

function dataWarnings(
  { info, splits, shared, repeated }: DataCheck,
  { data }: Config,
  registry: Registry,
): string[] {
  const warnings: string[] = [];
  for (const { sections, count, first } of shared) {
    const images = count === 1 ? "an image is" : `${count} images are`;
    warnings.push(
      `${images} in both ${sections.map((section) => `data.${section}`).join(" and ")} (${first})`,
    );
  }
  for (const { section, count, first } of repeated) {
    const images = count === 1 ? "an image is" : `${count} images are`;
    warnings.push(`${images} in data.${section} more than once, and counted as often (${first})`);
  }
  for (const { split, checked, remarks } of splits) {
    const images = `${checked} ${checked === 1 ? "image" : "images"} of split "${split}"`;
    warnings.push(...remarks.map((remark) => remarkText(remark, images)));
  }
  const dataset = registry.get("dataset", data.dataset.type);
  const advice = (absent: number | null) =>
    dataset.ignoredAdvice?.(optionsOf(dataset, data.dataset), info!, absent) ??
    "where that is not meant, the data set or its ignore index is wrong";
  if (info !== null) for (const split of splits) warnings.push(...labelWarnings(split, info, advice));
  // Sections of one split have the same to say.
  return [...new Set(warnings)];
}

function parametersOf(segmentor: Segmentor): Preflight["parameters"] {
  let trained = 0;
  for (const [, { trainable, size }] of segmentor.namedParameters()) if (trainable) trained += size;
  return { total: countParameters(segmentor), trained };
}
