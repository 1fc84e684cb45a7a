import type { Size } from "../../util/size.ts";
import type { Config } from "../../config/sections.ts";
import { traceSegmentor } from "../../cost/index.ts";
import type { DataCheck } from "../../datasets/check.ts";
import { SegfuseError } from "../../errors.ts";
import type { Registry } from "../../kinds.ts";
import { contextSlot } from "../../models/build.ts";
import type { Segmentor } from "../../models/segmentor.ts";
import { optionsOf } from "../../registry/make.ts";

/** What the network takes in memory, in bytes, by a trace of its shapes. */
export interface NetworkTrace {
  /** The most that a training step's tensors take at one time, weights and gradients included. */
  readonly training: number;
  /** The same of the forward pass over one evaluation window or image. */
  readonly evaluation: number;
}

/**
 * Follows a training step and an evaluation by shapes alone, at the sizes that the run will have.
 *
 * @throws SegfuseError SEGFUSE_BATCH_NORM_ONE_VALUE, and what a network throws where sizes do not fit;
 * SEGFUSE_TRACE_… of a plug-in's component that cannot be followed
 */
export function traceNetwork(
  config: Config,
  registry: Registry,
  segmentor: Segmentor,
  data: DataCheck,
): NetworkTrace {
  const inChannels = config.model.in_channels;
  const [height, width] = trainingSize(config, registry, data);
  const step = { batch: config.data.batch_size, inChannels, training: true, literal: false };
  const training = traceSegmentor(segmentor, { height, width, ...step });
  const [windowHeight, windowWidth] = evaluationSize(config, registry, data, "most");
  const window = { height: windowHeight, width: windowWidth, inChannels, literal: false };
  const evaluation = traceSegmentor(segmentor, window);
  return { training: training.memory.peak, evaluation: evaluation.memory.peak };
}

/** Size of training images: what transforms make of them, or the data's own where none says it. */
export function trainingSize(config: Config, registry: Registry, data: DataCheck): Size {
  const sizes = data.splits.find(({ section }) => section === "train")?.sizes;
  return transformedSize(config, registry, "train") ?? sizes?.most ?? config.data.crop_size;
}

/** Size of what the network sees of the smallest or largest image in evaluation. */
export function evaluationSize(
  config: Pick<Config, "data" | "evaluation">,
  registry: Registry,
  found: DataCheck,
  which: "least" | "most",
): Size {
  const { data, evaluation } = config;
  const window = evaluation.window ?? data.crop_size;
  const sizes = found.splits.find(({ section }) => section === "val")?.sizes;
  const image = transformedSize(config, registry, "val") ?? sizes?.[which];
  const factor = (which === "least" ? Math.min : Math.max)(...evaluation.scales);
  const scaled = image?.map((side) => Math.max(1, Math.round(side * factor)));
  const [height, width] = (scaled ?? window) as [number, number];
  return evaluation.mode === "whole"
    ? [height, width]
    : [Math.min(window[0], height), Math.min(window[1], width)];
}

/** The size that a section's transforms give images: that of the last one that says it; null where none does. */
function transformedSize(
  { data }: Pick<Config, "data">,
  registry: Registry,
  section: "train" | "val",
): Size | null {
  const sizes = data[section].transforms.map((slot) => {
    const record = registry.get("transform", slot.type);
    return record.size?.(optionsOf(record, slot), { cropSize: data.crop_size }) ?? null;
  });
  return sizes.findLast((size) => size !== null) ?? null;
}

/** Images must have as many channels as the network takes. @throws SegfuseError SEGFUSE_PREFLIGHT */
export function requireChannels({ model }: Config, { splits }: DataCheck): void {
  const wrong = splits.find(({ channels }) => channels !== null && channels !== model.in_channels);
  if (wrong === undefined) return;
  throw new SegfuseError("SEGFUSE_PREFLIGHT", "the images have another number of channels than the network", {
    where: "model.in_channels",
    expected: `${wrong.channels}, as the images of split "${wrong.split}"`,
    found: String(model.in_channels),
    advice: "leave model.in_channels out: images are read as RGB",
  });
}

/**
 * Where evaluation sees fewer cells than the context is meant for, pooling repeats cells: it works, and is not what was
 * trained. (The crop of training is a rule of the config.)
 */
export function cellWarning(
  { model, ...config }: Config,
  segmentor: Segmentor,
  data: DataCheck,
  registry: Registry,
): string | null {
  const slot = contextSlot(model.head, registry);
  if (slot === null) return null;
  const context = registry.get("context", slot.type);
  const least = context.leastCells?.(optionsOf(context, slot)) ?? 1;
  const size = evaluationSize(config, registry, data, "least");
  const { stride } = segmentor.backbone.levels.at(-1)!;
  const cells = size.map((side) => Math.ceil(side / stride));
  if (Math.min(...cells) >= least) return null;
  return (
    `evaluation sees images of ${size.join("x")}, whose deepest level has ${cells.join("x")} cells, ` +
    `fewer than the ${least}x${least} of the context '${slot.type}': a larger evaluation.window or another model.head.context`
  );
}
