import type { Segmentor } from "../models/segmentor.ts";
import { arithmetic, type Convention } from "./conventions.ts";
import {
  networkParts,
  partOf,
  traceSegmentor,
  type NetworkPart,
  type SegmentorNode,
} from "./trace_segmentor.ts";

/** A quantity of a network, whole and by part. `total` leaves the auxiliary heads out, `head` its context. */
export interface ByPart extends Record<NetworkPart, number> {
  total: number;
}

/** What a network costs for one image. */
export interface Cost {
  /** [height, width] of the image, in pixels. */
  readonly input: [number, number];
  readonly convention: Convention;
  /** Trained values, frozen ones included; no running statistics. */
  readonly parameters: ByPart;
  /** In the convention's unit. */
  readonly macs: ByPart;
  /** Multiply-adds of matrix products (`tf.matMul`, `tf.einsum`), which `macs` leaves out in `mac` and `2mac`. */
  readonly matrix_products: ByPart;
  /** Bytes, at 4 a number. */
  readonly activations: {
    /** What a training step's forward pass keeps for its backward pass. */
    readonly training: ByPart;
    /** The most that lies in memory at one time at inference, weights and image left out. */
    readonly inference_peak: number;
  };
}

export interface CostOptions {
  readonly height: number;
  readonly width: number;
  readonly convention: Convention;
  /** Channels of the image; default 3. */
  readonly inChannels?: number;
}

/**
 * Counts a network by its trace. Operations are counted as written, memory as the network runs.
 *
 * @throws SegfuseError as {@link traceSegmentor}
 */
export function costOf(segmentor: Segmentor, options: CostOptions): Cost {
  const { height, width, convention, inChannels = 3 } = options;
  const size = { height, width, inChannels };
  const { nodes } = traceSegmentor(segmentor, { ...size, auxiliary: true });
  const count = arithmetic(nodes, convention);
  return {
    input: [height, width],
    convention,
    parameters: parametersOf(segmentor),
    macs: sumByPart(nodes, count.operations),
    matrix_products: sumByPart(nodes, count.matrixProducts),
    activations: {
      training: keptForTraining(segmentor, size),
      inference_peak: inferencePeak(segmentor, size),
    },
  };
}

function parametersOf(segmentor: Segmentor): ByPart {
  const counts = nothing();
  for (const [name, { role, size }] of segmentor.namedParameters()) {
    const part = partOf(name);
    if (!role.startsWith("running_") && part !== null) counts[part] += size;
  }
  return withTotal(counts);
}

function sumByPart(nodes: readonly SegmentorNode[], of: (node: SegmentorNode) => number): ByPart {
  const sums = nothing();
  for (const node of nodes) if (node.part !== null) sums[node.part] += of(node);
  return withTotal(sums);
}

/** Images of the trace of a training step: batch norm over a map of 1×1 takes more than one. */
const trainingBatch = 2;

function keptForTraining(
  segmentor: Segmentor,
  size: { height: number; width: number; inChannels: number },
): ByPart {
  const { nodes, memory } = traceSegmentor(segmentor, {
    ...size,
    batch: trainingBatch,
    training: true,
    // Memory is the same without the gradients, and a neck may have none of an operation of its own.
    backward: false,
    literal: false,
  });
  const kept = nothing();
  for (const [node, bytes] of memory.kept) kept[nodes[node]!.part ?? "head"] += bytes / trainingBatch;
  for (const part of networkParts) kept[part] = Math.round(kept[part]);
  return withTotal(kept);
}

function inferencePeak(
  segmentor: Segmentor,
  size: { height: number; width: number; inChannels: number },
): number {
  const { memory } = traceSegmentor(segmentor, { ...size, literal: false });
  return memory.peak - memory.parameters - 4 * size.height * size.width * size.inChannels;
}

function nothing(): ByPart {
  return { total: 0, backbone: 0, "head.context": 0, neck: 0, head: 0, auxiliary_head: 0 };
}

function withTotal(counts: ByPart): ByPart {
  const inTotal = networkParts.filter((part) => part !== "auxiliary_head");
  return { ...counts, total: inTotal.reduce((sum, part) => sum + counts[part], 0) };
}
