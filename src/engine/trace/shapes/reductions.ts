import * as tf from "@tensorflow/tfjs";
import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import { each, input, output, type ShapedOutput, type ShapeFunctions } from "./types.ts";

// Operations over whole axes.

/** Max and Min name their axes unlike the others. */
interface ReductionAttributes {
  axis?: number | number[];
  reductionIndices?: number | number[];
  keepDims?: boolean;
}

function reduce(x: TensorInfo, dtype: DataType, attributes: ReductionAttributes): ShapedOutput[] {
  const wanted = attributes.axis ?? attributes.reductionIndices ?? x.shape.map((_, axis) => axis);
  const axes = tf.util.parseAxisParam(wanted, x.shape);
  const [shape] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
  if (attributes.keepDims !== true) return output(shape, dtype);
  return output(tf.backend_util.expandShapeToKeepDim(shape, axes), dtype);
}

export const reductions: ShapeFunctions = {
  ...each(["All", "Any"], (inputs, attributes: ReductionAttributes) =>
    reduce(input(inputs, "x"), "bool", attributes),
  ),
  ...each(["Max", "Min"], (inputs, attributes: ReductionAttributes) =>
    reduce(input(inputs, "x"), input(inputs, "x").dtype, attributes),
  ),
  ...each(["Sum", "Prod"], (inputs, attributes: ReductionAttributes) => {
    const x = input(inputs, "x");
    return reduce(x, tf.backend_util.upcastType(x.dtype, "int32"), attributes);
  }),
  Mean: (inputs, attributes: ReductionAttributes) => reduce(input(inputs, "x"), "float32", attributes),
  ...each(["ArgMax", "ArgMin"], (inputs, { axis }: tf.ArgMaxAttrs) => {
    const x = input(inputs, "x");
    const [first] = tf.util.parseAxisParam(axis, x.shape);
    return reduce(x, "int32", { axis: [first!] });
  }),
  ...each(["Cumsum", "Cumprod"], (inputs) => {
    const x = input(inputs, "x");
    return output(x.shape, tf.backend_util.upcastType(x.dtype, "int32"));
  }),
  TopK: (inputs, { k }: tf.TopKAttrs) => {
    const { shape, dtype } = input(inputs, "x");
    const best = [...shape.slice(0, -1), k];
    return [...output(best, dtype), ...output(best, "int32")];
  },
  UnsortedSegmentSum: (inputs, { numSegments }: tf.UnsortedSegmentSumAttrs) => {
    const [x, ids] = [input(inputs, "x"), input(inputs, "segmentIds")];
    return output([numSegments, ...x.shape.slice(ids.shape.length)], x.dtype);
  },
};
