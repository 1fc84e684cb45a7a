import type { ParameterLayout } from "../nn/parameter.ts";

// Memory order (TensorFlow's) against file order (PyTorch's). Both directions are exact copies.
//   conv       [kh, kw, in, out]         ↔ [out, in, kh, kw]
//   depthwise  [kh, kw, C, multiplier]   ↔ [C·multiplier, 1, kh, kw], channel c·multiplier + j
//   plain      the same

/** The shape in the file of a parameter with this shape in memory. */
export function fileShape(layout: ParameterLayout, memoryShape: readonly number[]): number[] {
  if (layout === "plain") return [...memoryShape];
  const [height, width, channels, last] = rank4(memoryShape);
  return layout === "conv" ? [last, channels, height, width] : [channels * last, 1, height, width];
}

/**
 * Memory order → file order.
 *
 * @returns a new array, or `values` itself for `plain`
 */
export function toFileOrder(
  layout: ParameterLayout,
  memoryShape: readonly number[],
  values: Float32Array,
): Float32Array {
  if (layout === "plain") return values;
  const [height, width, channels, last] = rank4(memoryShape);
  const area = height * width;
  return transpose(values, [area, channels, last], layout === "conv" ? [2, 1, 0] : [1, 2, 0]);
}

/**
 * File order → memory order, for a parameter whose shape in memory is `memoryShape`.
 *
 * @returns a new array, or `values` itself for `plain`
 */
export function toMemoryOrder(
  layout: ParameterLayout,
  memoryShape: readonly number[],
  values: Float32Array,
): Float32Array {
  if (layout === "plain") return values;
  const [height, width, channels, last] = rank4(memoryShape);
  const area = height * width;
  return layout === "conv"
    ? transpose(values, [last, channels, area], [2, 1, 0])
    : transpose(values, [channels, last, area], [2, 0, 1]);
}

type Triple = readonly [number, number, number];

/** Axis n of the result is axis order[n] of `values`, which is row-major of shape `shape`. */
function transpose(values: Float32Array, shape: Triple, order: Triple): Float32Array {
  const strides: Triple = [shape[1] * shape[2], shape[2], 1];
  const [outer, middle, inner] = [shape[order[0]]!, shape[order[1]]!, shape[order[2]]!];
  const [outerStep, middleStep, innerStep] = [strides[order[0]]!, strides[order[1]]!, strides[order[2]]!];
  const result = new Float32Array(values.length);
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < middle; j++) {
      let from = i * outerStep + j * middleStep;
      for (let k = 0; k < inner; k++, from += innerStep) result[at++] = values[from]!;
    }
  }
  return result;
}

function rank4(shape: readonly number[]): [number, number, number, number] {
  if (shape.length !== 4) throw new Error(`a kernel has four axes, not [${shape.join(", ")}]`);
  return shape as unknown as [number, number, number, number];
}
