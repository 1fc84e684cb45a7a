import * as tf from "@tensorflow/tfjs";
import type { DataType } from "@tensorflow/tfjs";
import { each, input, output, type ShapeFunction, type ShapeFunctions } from "./types.ts";

// Operations on each element by itself, and those on pairs of elements, with broadcasting.

const unary: ShapeFunction = (inputs) => {
  const { shape, dtype } = input(inputs, "x");
  return output(shape, dtype);
};

const unaryTo =
  (dtype: DataType): ShapeFunction =>
  (inputs) =>
    output(input(inputs, "x").shape, dtype);

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  return tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
}

const binary: ShapeFunction = (inputs) => {
  const [a, b] = [input(inputs, "a"), input(inputs, "b")];
  return output(broadcast(a.shape, b.shape), a.dtype);
};

const comparison: ShapeFunction = (inputs) =>
  output(broadcast(input(inputs, "a").shape, input(inputs, "b").shape), "bool");

export const elementwise: ShapeFunctions = {
  ...each(
    [
      ...["Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "ClipByValue", "Cos", "Cosh"],
      ...["Elu", "Erf", "Exp", "Expm1", "Floor", "LeakyRelu", "Log", "Log1p", "Neg", "Reciprocal", "Relu"],
      ...["Relu6", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Sqrt", "Square"],
      ...["Step", "Tan", "Tanh", "ZerosLike", "OnesLike"],
    ],
    unary,
  ),
  ...each(["IsFinite", "IsInf", "IsNan", "LogicalNot"], unaryTo("bool")),
  ...each(
    [
      ...["Add", "Atan2", "FloorDiv", "Maximum", "Minimum", "Mod", "Multiply", "Pow", "RealDiv", "Sub"],
      ...["SquaredDifference"],
    ],
    binary,
  ),
  ...each(
    ["Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "NotEqual"],
    comparison,
  ),
  Cast: (inputs, { dtype }: tf.CastAttrs) => output(input(inputs, "x").shape, dtype),
  Prelu: (inputs) => output(broadcast(input(inputs, "x").shape, input(inputs, "alpha").shape), "float32"),
  EluGrad: (inputs) => output(input(inputs, "y").shape, input(inputs, "dy").dtype),
  AddN: (inputs) => output(input(inputs, "0").shape, input(inputs, "0").dtype),
  Select: (inputs) => {
    const [t, e] = [input(inputs, "t"), input(inputs, "e")];
    return output(t.shape, tf.backend_util.upcastType(t.dtype, e.dtype));
  },
  Softmax: (inputs) => output(input(inputs, "logits").shape, input(inputs, "logits").dtype),
};
