import * as tf from "@tensorflow/tfjs";
import type { DataType, Tensor, TensorInfo } from "@tensorflow/tfjs";
import type { TraceBackend } from "./trace/backend.ts";

/** One attribute of a TensorFlow operation, as tfjs-node's addon takes it. */
export interface NativeAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
export interface NativeBackend {
  readonly binding: Readonly<
    Record<
      | "TF_ATTR_STRING"
      | "TF_ATTR_INT"
      | "TF_ATTR_FLOAT"
      | "TF_ATTR_BOOL"
      | "TF_ATTR_TYPE"
      | "TF_FLOAT"
      | "TF_INT32"
      | "TF_BOOL",
      number
    >
  >;
  readonly isUsingGpuDevice: boolean;
  executeSingleOutput(name: string, attributes: NativeAttribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: NativeAttribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
}

/** The native backend where it is the active one, or null on a portable engine (wasm, cpu, trace). */
export function nativeBackend(): NativeBackend | null {
  return tf.getBackend() === "tensorflow" ? (tf.backend() as unknown as NativeBackend) : null;
}

/**
 * The shape-only engine where it is the active one, or null. Operations that the other engines compose from
 * several kernels are recorded there as one, as they are written.
 */
export function activeTrace(): TraceBackend | null {
  return tf.getBackend() === "trace" ? (tf.backend() as unknown as TraceBackend) : null;
}

/** Makes attributes in the form that the addon takes: one function for each type of value. */
export const attribute = {
  ints: (native: NativeBackend, name: string, value: readonly number[]): NativeAttribute => ({
    name,
    type: native.binding.TF_ATTR_INT,
    value,
  }),
  float: (native: NativeBackend, name: string, value: number): NativeAttribute => ({
    name,
    type: native.binding.TF_ATTR_FLOAT,
    value,
  }),
  bool: (native: NativeBackend, name: string, value: boolean): NativeAttribute => ({
    name,
    type: native.binding.TF_ATTR_BOOL,
    value,
  }),
  string: (native: NativeBackend, name: string, value: string): NativeAttribute => ({
    name,
    type: native.binding.TF_ATTR_STRING,
    value,
  }),
  type: (native: NativeBackend, name: string, value: DataType): NativeAttribute => ({
    name,
    type: native.binding.TF_ATTR_TYPE,
    value: value === "int32" ? native.binding.TF_INT32 : native.binding.TF_FLOAT,
  }),
};
