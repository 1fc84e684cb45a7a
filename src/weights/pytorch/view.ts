import { bytesPerElement } from "../dtypes.ts";
import { byteLength } from "../weight_file.ts";
import type { PickledTensor } from "./values.ts";

/** The part of its storage that a tensor sees, in bytes. */
export function span(tensor: PickledTensor): { begin: number; end: number } {
  const width = bytesPerElement(tensor.dtype);
  const { shape, strides, storage } = tensor;
  const begin = (storage.rootOffset + tensor.offset) * width;
  if (byteLength(shape, 1) === 0) return { begin, end: begin };
  return { begin, end: begin + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 1) * width };
}

/** The tensor's elements, row-major. @param bytes its span, in a buffer of its own; returned as it is where nothing moves */
export function contiguous(tensor: PickledTensor, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { shape, strides } = tensor;
  if (byteLength(shape, 1) === 0 || isContiguous(shape, strides)) return bytes;
  const width = bytesPerElement(tensor.dtype);
  const result = new Uint8Array(byteLength(shape, width));
  const index = new Array<number>(shape.length).fill(0);
  const last = shape.length - 1;
  for (let to = 0, from = 0; to < result.length;) {
    // the innermost axis in a loop of its own
    for (let i = 0, at = from; i < shape[last]!; i++, at += strides[last]! * width, to += width) {
      for (let b = 0; b < width; b++) result[to + b] = bytes[at + b]!;
    }
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis]! * width;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]! * width;
      index[axis] = 0;
    }
  }
  return result;
}

/** Axes of size 1 may have any stride. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
