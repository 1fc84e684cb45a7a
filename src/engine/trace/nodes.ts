import type { DataType } from "@tensorflow/tfjs";

/** Where a traced tensor comes from. */
export type TraceSource =
  /** The output of an operation: its `id` and which of its outputs. */
  | { readonly kind: "node"; readonly node: number; readonly output: number }
  /** A tensor that the caller of the trace named, such as `images`, or a parameter by its name. */
  | { readonly kind: "input" | "parameter"; readonly name: string }
  /** A tensor that was made from numbers while tracing. */
  | { readonly kind: "constant" };

/** A tensor that an operation reads. */
export interface TraceValue {
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly source: TraceSource;
}

/** One operation that was recorded. */
export interface TraceNode {
  /** Its place in the list of all nodes. */
  readonly id: number;
  /** TF.js's name of the kernel (`Conv2D`, `Concat`), or segfuse's own of an operation that TF.js lacks. */
  readonly op: string;
  /** The module that ran it, by the name that its parameters start with (`neck.reduce.0.conv`); "" outside of all. */
  readonly path: string;
  /** As they were given to the operation; sizes and options only. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly TraceValue[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: DataType }[];
  /** True of what a gradient ran. */
  readonly backward: boolean;
}

/** What a trace says of memory, in bytes, at 4 bytes a number (1 a boolean). Views share what they look at. */
export interface TraceMemory {
  /** Of the parameters. */
  readonly parameters: number;
  /** The most that lay in memory at one time, parameters and inputs included. */
  readonly peak: number;
  /**
   * What the forward pass keeps for the backward pass, by the `id` of the operation that made it: outputs alone,
   * not parameters and inputs. Empty without a backward pass.
   */
  readonly kept: ReadonlyMap<number, number>;
}
