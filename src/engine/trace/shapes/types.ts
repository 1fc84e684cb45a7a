import type { DataType, TensorInfo } from "@tensorflow/tfjs";

/** What a shape function knows of a tensor. */
export interface Described {
  readonly shape: number[];
  readonly dtype: DataType;
}

/** One output of an operation. */
export interface ShapedOutput extends Described {
  /** The input whose memory the output shares, as a reshaped tensor does. */
  readonly view?: TensorInfo;
}

/** A kernel's tensors by name; lists (Concat, AddN) are keyed 0, 1, … */
export type KernelInputs = Readonly<Record<string, TensorInfo>>;

/**
 * What a kernel puts out for these inputs, without computing it. Each function says which attributes its
 * kernel has; `never` stands for any of these types.
 */
export type ShapeFunction = (inputs: KernelInputs, attributes: never) => ShapedOutput[];

/** Shape functions by the name that TF.js calls a kernel by. */
export type ShapeFunctions = Readonly<Record<string, ShapeFunction>>;

/** The same function for several kernels. */
export function each(names: readonly string[], of: ShapeFunction): Record<string, ShapeFunction> {
  return Object.fromEntries(names.map((name) => [name, of]));
}

/** The input of that name, which the kernel cannot do without. */
export function input(inputs: KernelInputs, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor == null) throw new Error(`an operation without its input '${name}'`);
  return tensor;
}

export function output(shape: readonly number[], dtype: DataType): ShapedOutput[] {
  return [{ shape: [...shape], dtype }];
}

/** An output that is an input in another shape, in the same memory. */
export function view(of: TensorInfo, shape: readonly number[]): ShapedOutput[] {
  return [{ shape: [...shape], dtype: of.dtype, view: of }];
}
