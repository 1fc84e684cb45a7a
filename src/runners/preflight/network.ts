import type { Size } from "../../util/size.ts";
import type { Config } from "../../config/sections.ts";
import { traceSegmentor } from "../../cost/index.ts";
import type { DataCheck } from "../../datasets/check.ts";
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
export function traceNetwork(config: Config, segmentor: Segmentor, data: DataCheck): NetworkTrace {
  const inChannels = config.model.in_channels;
  const [height, width] = trainingSize(config, data);
  const step = { batch: config.data.batch_size, inChannels, training: true, literal: false };
  const training = traceSegmentor(segmentor, { height, width, ...step });
  const [windowHeight, windowWidth] = evaluationSize(config, data, "most");
  const window = { height: windowHeight, width: windowWidth, inChannels, literal: false };
  const evaluation = traceSegmentor(segmentor, window);
  return { training: training.memory.peak, evaluation: evaluation.memory.peak };
}

/** Size of training images: the crop's, or the data's own where nothing crops or resizes. */
export function trainingSize({ data: { train, crop_size } }: Config, data: DataCheck): Size {
  const isSized = train.transforms.some(({ type }) => type === "random_crop" || type === "resize");
  const sizes = data.splits.find(({ section }) => section === "train")?.sizes;
  return isSized || sizes == null ? crop_size : sizes.most;
}

/** Size of what the network sees of the smallest or largest image in evaluation. */
export function evaluationSize(
  { data, evaluation }: Pick<Config, "data" | "evaluation">,
  found: DataCheck,
  which: "least" | "most",
): Size {
  const window = evaluation.window ?? data.crop_size;
  const image = found.splits.find(({ section }) => section === "val")?.sizes?.[which];
  const factor = (which === "least" ? Math.min : Math.max)(...evaluation.scales);
  const scaled = image?.map((side) => Math.max(1, Math.round(side * factor)));
  const [height, width] = (scaled ?? window) as [number, number];
  return evaluation.mode === "whole"
    ? [height, width]
    : [Math.min(window[0], height), Math.min(window[1], width)];
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
  const size = evaluationSize(config, data, "least");
  const { stride } = segmentor.backbone.levels.at(-1)!;
  const cells = size.map((side) => Math.ceil(side / stride));
  if (Math.min(...cells) >= least) return null;
  return (
    `evaluation sees images of ${size.join("x")}, whose deepest level has ${cells.join("x")} cells, ` +
    `fewer than the ${least}x${least} of the context '${slot.type}': a larger evaluation.window or another model.head.context`
  );
}
