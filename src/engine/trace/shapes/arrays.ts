import * as tf from "@tensorflow/tfjs";
import type { TensorInfo } from "@tensorflow/tfjs";
import { input, output, view, type KernelInputs, type ShapedOutput, type ShapeFunctions } from "./types.ts";

// Operations that move elements: shapes, parts, joins, padding, indexing. And those that make tensors.

/** The tensors of a kernel that takes a list. */
export function listed(inputs: KernelInputs): TensorInfo[] {
  return Object.values(inputs);
}

function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function padded({ shape, dtype }: TensorInfo, paddings: readonly [number, number][]): ShapedOutput[] {
  return output(
    shape.map((n, axis) => n + paddings[axis]![0] + paddings[axis]![1]),
    dtype,
  );
}

export const arrays: ShapeFunctions = {
  Identity: (inputs) => view(input(inputs, "x"), input(inputs, "x").shape),
  Reshape: (inputs, { shape }: tf.ReshapeAttrs) => {
    const x = input(inputs, "x");
    return view(x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape)));
  },
  ExpandDims: (inputs, { dim }: tf.ExpandDimsAttrs) => {
    const x = input(inputs, "input");
    const axis = axisOf(dim, x.shape.length + 1);
    return view(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
  },
  Transpose: (inputs, { perm }: tf.TransposeAttrs) => {
    const x = input(inputs, "x");
    return output(
      perm.map((axis) => x.shape[axis]!),
      x.dtype,
    );
  },
  Concat: (inputs, { axis }: tf.ConcatAttrs) => {
    const tensors = listed(inputs);
    const [first] = tensors;
    const shapes = tensors.map(({ shape }) => shape);
    const along = axisOf(axis, first!.shape.length);
    tf.backend_util.assertParamsConsistent(shapes, along);
    return output(tf.backend_util.computeOutShape(shapes, along), first!.dtype);
  },
  Pack: (inputs, { axis }: tf.PackAttrs) => {
    const tensors = listed(inputs);
    const { shape, dtype } = tensors[0]!;
    const along = axisOf(axis, shape.length + 1);
    return output([...shape.slice(0, along), tensors.length, ...shape.slice(along)], dtype);
  },
  Unpack: (inputs, { axis }: tf.UnpackAttrs) => {
    const { shape, dtype } = input(inputs, "value");
    const along = axisOf(axis, shape.length);
    const rest = shape.filter((_, i) => i !== along);
    return Array.from({ length: shape[along]! }, () => ({ shape: [...rest], dtype }));
  },
  SplitV: (inputs, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
    const x = input(inputs, "x");
    const along = axisOf(axis, x.shape.length);
    const sizes = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, along);
    return sizes.flatMap((size) =>
      output(
        x.shape.map((n, i) => (i === along ? size : n)),
        x.dtype,
      ),
    );
  },
  Slice: (inputs, { begin, size }: tf.SliceAttrs) => {
    const x = input(inputs, "x");
    const [from, sizes] = tf.slice_util.parseSliceParams(x, begin, size);
    tf.slice_util.assertParamsValid(x, from!, sizes!);
    return output(sizes!, x.dtype);
  },
  StridedSlice: (inputs, attributes: tf.StridedSliceAttrs) => {
    const x = input(inputs, "x");
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
    const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
    const { finalShape } = tf.slice_util.sliceInfo(x.shape, begin, end, strides, ...masks);
    return output(finalShape, x.dtype);
  },
  PadV2: (inputs, { paddings }: tf.PadV2Attrs) => padded(input(inputs, "x"), paddings),
  MirrorPad: (inputs, { paddings }: tf.PadV2Attrs) => padded(input(inputs, "x"), paddings),
  Tile: (inputs, { reps }: tf.TileAttrs) => {
    const { shape, dtype } = input(inputs, "x");
    return output(
      shape.map((n, axis) => n * reps[axis]!),
      dtype,
    );
  },
  Reverse: (inputs) => output(input(inputs, "x").shape, input(inputs, "x").dtype),
  GatherV2: (inputs, { axis, batchDims }: tf.GatherV2Attrs) => {
    const [x, indices] = [input(inputs, "x"), input(inputs, "indices")];
    const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(
      x,
      indices,
      axisOf(axis, x.shape.length),
      batchDims ?? 0,
    );
    return output(info.outputShape, x.dtype);
  },
  GatherNd: (inputs) => {
    const [params, indices] = [input(inputs, "params"), input(inputs, "indices")];
    const depth = indices.shape.at(-1)!;
    return output([...indices.shape.slice(0, -1), ...params.shape.slice(depth)], params.dtype);
  },
  ScatterNd: (inputs, { shape }: tf.ScatterNdAttrs) => output(shape, input(inputs, "updates").dtype),
  OneHot: (inputs, { depth, dtype }: tf.OneHotAttrs) =>
    output([...input(inputs, "indices").shape, depth], dtype),
  SpaceToBatchND: (inputs, { blockShape, paddings }: tf.SpaceToBatchNDAttrs) => {
    const { shape, dtype } = input(inputs, "x");
    const block = blockShape.reduce((product, n) => product * n, 1);
    const cells = blockShape.map((n, i) => (shape[i + 1]! + paddings[i]![0]! + paddings[i]![1]!) / n);
    return output([shape[0]! * block, ...cells, ...shape.slice(1 + blockShape.length)], dtype);
  },
  BatchToSpaceND: (inputs, { blockShape, crops }: tf.BatchToSpaceNDAttrs) => {
    const { shape, dtype } = input(inputs, "x");
    const block = blockShape.reduce((product, n) => product * n, 1);
    const whole = blockShape.map((n, i) => shape[i + 1]! * n - crops[i]![0]! - crops[i]![1]!);
    return output([shape[0]! / block, ...whole, ...shape.slice(1 + blockShape.length)], dtype);
  },
  DepthToSpace: (inputs, { blockSize, dataFormat }: tf.DepthToSpaceAttrs) => {
    const { shape, dtype } = input(inputs, "x");
    const [batch, a, b, c] = shape as [number, number, number, number];
    return dataFormat === "NHWC"
      ? output([batch, a * blockSize, b * blockSize, c / blockSize ** 2], dtype)
      : output([batch, a / blockSize ** 2, b * blockSize, c * blockSize], dtype);
  },
  Fill: (_, { shape, dtype }: tf.FillAttrs) => output(shape, dtype),
  Range: (_, { start, stop, step, dtype }: tf.RangeAttrs) => {
    const count = Math.ceil((stop - start) / step);
    return output([Math.max(0, Math.abs(count))], dtype);
  },
  LinSpace: (_, { num }: tf.LinSpaceAttrs) => output([num], "float32"),
};
