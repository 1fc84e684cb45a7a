import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { valueAndGradients } from "../engine/backward.ts";
import { registerGradients } from "../engine/gradients/index.ts";
import { runTraced, type TraceBackend, type TraceMemory, type TraceNode } from "../engine/trace/index.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Module } from "../nn/module.ts";

/** The parts of a network that its cost is told by. */
export const networkParts = ["backbone", "head.context", "neck", "head", "auxiliary_head"] as const;
export type NetworkPart = (typeof networkParts)[number];

export interface SegmentorTraceOptions {
  /** Of the input image, in pixels. */
  readonly height: number;
  readonly width: number;
  /** Images; default 1. */
  readonly batch?: number;
  /** Channels of the image; default 3. */
  readonly inChannels?: number;
  /**
   * Default false: the forward pass at inference, without the auxiliary heads. True: a training step's losses
   * and gradients, auxiliary heads included. Batches of one cannot train where a map is pooled to 1×1.
   */
  readonly training?: boolean;
  /** Default true: in training, run the gradients too. False: the forward pass alone, with what it keeps. */
  readonly backward?: boolean;
  /** At inference, run the auxiliary heads as well. Default false. */
  readonly auxiliary?: boolean;
  /**
   * Default true: operations as the papers write them, as other frameworks run and count them. False: with the
   * exact rewrites that our networks run with (`NetworkContext.literal`), for what memory a run will take.
   */
  readonly literal?: boolean;
}

/** An operation of a network. */
export interface SegmentorNode extends TraceNode {
  /** The part that `path` belongs to; null for losses and what belongs to none. */
  readonly part: NetworkPart | null;
}

export interface SegmentorTrace {
  /** In the order in which they run; an operation's inputs name the operations that they come from. */
  readonly nodes: readonly SegmentorNode[];
  readonly memory: TraceMemory;
}

/**
 * Runs a network on shapes alone: nothing is computed and no weights are needed. The input is called `images`
 * (and `labels` in training), parameters go by their names, operations carry the module that ran them. The
 * engine that was active, the network's weights and its context are as before afterwards.
 *
 * @throws SegfuseError `SEGFUSE_TRACE_OPERATION` or `SEGFUSE_TRACE_VALUES` of a component that cannot be
 *   traced, and what the network itself throws where sizes do not fit
 */
export function traceSegmentor(segmentor: Segmentor, options: SegmentorTraceOptions): SegmentorTrace {
  const { height, width, batch = 1, inChannels = 3, training = false, auxiliary = false } = options;
  const { backward = true } = options;
  const { trace } = runTraced((trace) =>
    inState(segmentor, { training, literal: options.literal ?? true }, () =>
      withShapesForWeights(segmentor, trace, (trainable) =>
        withPaths(segmentor, trace, () => {
          const images = trace.tensor<Tensor4D>("input", "images", [batch, height, width, inChannels]);
          if (!training) {
            if (auxiliary) segmentor.forwardTraining(images);
            else segmentor.forward(images);
            return;
          }
          const labels = trace.tensor<Tensor3D>("input", "labels", [batch, height, width], "int32");
          registerGradients();
          valueAndGradients(
            () => {
              const { total } = segmentor.loss(images, labels);
              trace.startBackward();
              return total;
            },
            backward ? trainable : [],
          );
        }),
      ),
    ),
  );
  return { nodes: withParts(trace.nodes), memory: trace.memorySummary() };
}

/** Sets the network's mode for `run` and puts it back. */
function inState(
  { context }: Segmentor,
  state: { training: boolean; literal: boolean },
  run: () => void,
): void {
  const { training, literal } = context;
  Object.assign(context, state);
  try {
    run();
  } finally {
    Object.assign(context, { training, literal });
  }
}

/**
 * Gives every parameter a variable of the tracing engine for `run`. A network that has weights gets its own
 * back: in training, running statistics would be overwritten.
 */
function withShapesForWeights(
  segmentor: Segmentor,
  trace: TraceBackend,
  run: (trainable: Tensor[]) => void,
): void {
  const parameters = [...segmentor.namedParameters()];
  const held = parameters.map(([, parameter]) => (parameter.isMaterialised ? parameter.variable : null));
  const shapes = parameters.map(([name, { shape, trainable }]) =>
    tf.tidy(() => tf.variable(trace.tensor("parameter", name, shape), trainable)),
  );
  for (const [i, [, parameter]] of parameters.entries()) parameter.materialise(shapes[i]!);
  try {
    run(shapes.filter((_, i) => parameters[i]![1].trainable));
  } finally {
    for (const [i, [, parameter]] of parameters.entries()) {
      // Both in one: the traced variable goes, and the parameter forgets it.
      parameter.dispose();
      const own = held[i];
      if (own != null) parameter.materialise(own);
    }
  }
}

/** The methods that run a module. */
const passes = ["forward", "forwardTraining"] as const;

/**
 * Makes every module of the network say when it runs: for `run`, its `forward` (and a head's `forwardTraining`) is covered
 * by one that tells the trace its name first.
 */
function withPaths(segmentor: Segmentor, trace: TraceBackend, run: () => void): void {
  const covered: { module: Module; pass: string; own: PropertyDescriptor | undefined }[] = [];
  try {
    for (const [path, module] of segmentor.namedModules()) {
      if (module === segmentor) continue;
      for (const pass of passes) {
        const method = (module as Partial<Record<typeof pass, unknown>>)[pass];
        if (typeof method !== "function") continue;
        covered.push({ module, pass, own: Object.getOwnPropertyDescriptor(module, pass) });
        Object.defineProperty(module, pass, {
          configurable: true,
          enumerable: false,
          value: (...inputs: unknown[]) => trace.within(path, () => method.apply(module, inputs) as unknown),
        });
      }
    }
    run();
  } finally {
    // Last covered, first restored: a module that has two names was covered twice.
    for (const { module, pass, own } of covered.reverse()) {
      if (own === undefined) Reflect.deleteProperty(module, pass);
      else Object.defineProperty(module, pass, own);
    }
  }
}

/** The part that a module or a parameter of this name belongs to. */
export function partOf(name: string): NetworkPart | null {
  const within = (part: string) => name === part || name.startsWith(`${part}.`);
  // The context is a part of the head by its name.
  return (["head.context", ...networkParts] as const).find(within) ?? null;
}

/** What runs in no module, such as the resize to the image's size, belongs to the part that it goes on from. */
function withParts(nodes: readonly TraceNode[]): SegmentorNode[] {
  const parts: (NetworkPart | null)[] = [];
  for (const node of nodes) {
    const sources = node.inputs.map(({ source }) => (source.kind === "node" ? parts[source.node]! : null));
    parts.push(node.path === "" ? (sources.find((part) => part !== null) ?? null) : partOf(node.path));
  }
  return nodes.map((node, i) => ({ ...node, part: parts[i]! }));
}
