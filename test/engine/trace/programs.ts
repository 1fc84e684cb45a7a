import * as tf from "@tensorflow/tfjs";
import type { DataType, Tensor } from "@tensorflow/tfjs";
import { kernelNamed, map, of, type Draw, type Program, type Shape4D } from "./draw.ts";

/** Every unary kernel by its function of `tf`. */
const unary: Record<string, (x: Tensor) => Tensor> = {
  ...{ Abs: tf.abs, Acos: tf.acos, Acosh: tf.acosh, Asin: tf.asin, Asinh: tf.asinh, Atan: tf.atan },
  ...{ Atanh: tf.atanh, Ceil: tf.ceil, Cos: tf.cos, Cosh: tf.cosh, Elu: tf.elu, Erf: tf.erf, Exp: tf.exp },
  ...{ Expm1: tf.expm1, Floor: tf.floor, IsFinite: tf.isFinite, IsInf: tf.isInf, IsNan: tf.isNaN },
  ...{ LeakyRelu: (x) => tf.leakyRelu(x, 0.1), Log: tf.log, Log1p: tf.log1p, Neg: tf.neg, Relu: tf.relu },
  ...{ Reciprocal: tf.reciprocal, Relu6: tf.relu6, Round: tf.round, Rsqrt: tf.rsqrt, Selu: tf.selu },
  ...{ Sigmoid: tf.sigmoid, Sign: tf.sign, Sin: tf.sin, Sinh: tf.sinh, Softplus: tf.softplus, Sqrt: tf.sqrt },
  ...{
    Square: tf.square,
    Step: tf.step,
    Tan: tf.tan,
    Tanh: tf.tanh,
    ClipByValue: (x) => tf.clipByValue(x, 0, 1),
  },
  ...{ ZerosLike: (x) => tf.zerosLike(x), OnesLike: (x) => tf.onesLike(x) },
};

const binary: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  ...{ Add: tf.add, Atan2: tf.atan2, FloorDiv: tf.floorDiv, Maximum: tf.maximum, Minimum: tf.minimum },
  ...{ Mod: tf.mod, Multiply: tf.mul, Pow: tf.pow, Sub: tf.sub, SquaredDifference: tf.squaredDifference },
  ...{ Equal: tf.equal, Greater: tf.greater, GreaterEqual: tf.greaterEqual, Less: tf.less },
  ...{ LessEqual: tf.lessEqual, NotEqual: tf.notEqual, RealDiv: tf.div },
};

const reductions: Record<string, (x: Tensor, axis: number[] | undefined, keep: boolean) => Tensor> = {
  ...{ Max: tf.max, Min: tf.min, Sum: tf.sum, Prod: tf.prod, Mean: tf.mean },
};

/** Programs of single kernels, by kernel: elementwise, reductions, moving elements. */
export const programs: Record<string, (d: Draw) => Program> = {
  ...Object.fromEntries(
    Object.entries(unary).map(([name, f]) => [
      name,
      (d: Draw): Program => {
        const shape = d.shape();
        return () => f(of(shape));
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(binary).map(([name, f]) => [
      name,
      (d: Draw): Program => {
        const shape = d.shape();
        const [a, b] = d.flag() ? [shape, d.broadcastable(shape)] : [d.broadcastable(shape), shape];
        // Integers divide by another kernel; of floating point, FloorDiv makes integers on the CPU alone.
        const dtypes = { RealDiv: ["float32"], Atan2: ["float32"], FloorDiv: ["int32"] }[name] ?? [
          "float32",
          "int32",
        ];
        const dtype = d.pick(dtypes) as DataType;
        return () => f(of(a, dtype), of(b, dtype));
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(reductions).map(([name, f]) => [
      name,
      (d: Draw): Program => {
        const shape = d.shape(1);
        const axes = d.axes(shape.length);
        const keep = d.flag();
        const dtype = d.pick(["float32", "int32"] as const);
        return () => f(of(shape, dtype), axes, keep);
      },
    ]),
  ),
  LogicalNot: (d) => {
    const shape = d.shape();
    return () => tf.logicalNot(of(shape, "bool"));
  },
  LogicalAnd: (d) => {
    const shape = d.shape();
    return () => tf.logicalAnd(of(shape, "bool"), of(shape, "bool"));
  },
  LogicalOr: (d) => {
    const shape = d.shape();
    return () => tf.logicalOr(of(shape, "bool"), of(shape, "bool"));
  },
  All: (d) => {
    const shape = d.shape(1);
    const [axes, keep] = [d.axes(shape.length), d.flag()];
    return () => tf.all(of(shape, "bool"), axes, keep);
  },
  Any: (d) => {
    const shape = d.shape(1);
    const [axes, keep] = [d.axes(shape.length), d.flag()];
    return () => tf.any(of(shape, "bool"), axes, keep);
  },
  ArgMax: (d) => {
    const shape = d.shape(1);
    const axis = d.axis(shape.length);
    return () => tf.argMax(of(shape), axis);
  },
  ArgMin: (d) => {
    const shape = d.shape(1);
    const axis = d.axis(shape.length);
    return () => tf.argMin(of(shape), axis);
  },
  Cumsum: (d) => {
    const shape = d.shape(1);
    const axis = d.int(0, shape.length - 1);
    return () => tf.cumsum(of(shape), axis, true);
  },
  Cumprod: (d) => {
    const shape = d.shape(1);
    const axis = d.int(0, shape.length - 1);
    return () => tf.cumprod(of(shape), axis);
  },
  TopK: (d) => {
    const shape = d.shape(1);
    const k = d.int(1, shape.at(-1)!);
    return () => {
      const { values, indices } = tf.topk(of(shape), k);
      return [values, indices];
    };
  },
  UnsortedSegmentSum: (d) => {
    const [n, ...rest] = d.shape(1);
    const segments = d.int(1, 4);
    return () => tf.unsortedSegmentSum(of([n!, ...rest]), tf.zeros([n!], "int32"), segments);
  },
  Cast: (d) => {
    const shape = d.shape();
    const dtype = d.pick(["int32", "bool"] as const);
    return () => tf.cast(of(shape), dtype);
  },
  Prelu: (d) => {
    const shape = d.shape(1);
    const alpha = shape.slice(-1);
    return () => tf.prelu(of(shape), of(alpha));
  },
  EluGrad: (d) => {
    const shape = d.shape();
    return () => kernelNamed("EluGrad", { dy: of(shape), y: of(shape) });
  },
  AddN: (d) => {
    const shape = d.shape();
    const count = d.int(1, 4);
    return () => tf.addN(Array.from({ length: count }, () => of(shape)));
  },
  Select: (d) => {
    const shape = d.shape();
    return () => tf.where(of(shape, "bool"), of(shape), of(shape));
  },
  Softmax: (d) => {
    const shape = d.shape(1);
    return () => tf.softmax(of(shape));
  },
  Reshape: (d) => {
    const shape = d.shape(1, 4);
    return () => tf.reshape(of(shape), [-1, shape[0]!]);
  },
  ExpandDims: (d) => {
    const shape = d.shape();
    const axis = d.int(-1, shape.length);
    return () => tf.expandDims(of(shape), axis);
  },
  Transpose: (d) => {
    const shape = d.shape(2);
    const perm = shape.map((_, axis) => axis).sort(() => d.int(0, 1) - 0.5);
    return () => tf.transpose(of(shape), perm);
  },
  Concat: (d) => {
    const shape = d.shape(1);
    const axis = d.axis(shape.length);
    const lengths = d.ints(d.int(2, 4), 1, 4);
    const part = (n: number) =>
      shape.map((size, i) => (i === (axis + shape.length) % shape.length ? n : size));
    return () =>
      tf.concat(
        lengths.map((n) => of(part(n))),
        axis,
      );
  },
  Pack: (d) => {
    const shape = d.shape(0, 3);
    const [count, axis] = [d.int(1, 4), d.int(0, shape.length)];
    return () =>
      tf.stack(
        Array.from({ length: count }, () => of(shape)),
        axis,
      );
  },
  Unpack: (d) => {
    const shape = d.shape(1);
    const axis = d.axis(shape.length);
    return () => tf.unstack(of(shape), axis);
  },
  SplitV: (d) => {
    const [parts, axis] = [d.int(1, 3), d.int(0, 2)];
    const shape = d.ints(3, 1, 4);
    const sizes = d.ints(parts, 1, 3);
    const equal = d.flag();
    shape[axis] = equal ? parts * 2 : sizes.reduce((a, b) => a + b);
    return () => tf.split(of(shape), equal ? parts : sizes, axis);
  },
  Slice: (d) => {
    const shape = d.shape(1);
    const begin = shape.map((n) => d.int(0, n - 1));
    const size = shape.map((n, i) => (d.flag() ? -1 : d.int(1, n - begin[i]!)));
    return () => tf.slice(of(shape), begin, size);
  },
  StridedSlice: (d) => {
    const shape = d.ints(3, 2, 7);
    const begin = shape.map((n) => d.int(0, n - 1));
    const end = shape.map((n, i) => d.int(begin[i]! + 1, n));
    const strides = d.ints(3, 1, 3);
    const masks = [d.int(0, 7), d.int(0, 7)] as const;
    return () => tf.stridedSlice(of(shape), begin, end, strides, ...masks);
  },
  PadV2: (d) => {
    const shape = d.shape(1);
    const paddings = shape.map(() => [d.int(0, 2), d.int(0, 2)] as [number, number]);
    return () => tf.pad(of(shape), paddings);
  },
  MirrorPad: (d) => {
    const shape = d.ints(d.int(1, 4), 3, 5);
    const paddings = shape.map(() => [d.int(0, 2), d.int(0, 2)] as [number, number]);
    const mode = d.pick(["reflect", "symmetric"] as const);
    return () => tf.mirrorPad(of(shape), paddings, mode);
  },
  Tile: (d) => {
    const shape = d.shape(1);
    const reps = shape.map(() => d.int(1, 3));
    return () => tf.tile(of(shape), reps);
  },
  Reverse: (d) => {
    const shape = d.shape(1);
    const axis = d.axis(shape.length);
    return () => tf.reverse(of(shape), axis);
  },
  GatherV2: (d) => {
    const shape = d.shape(1);
    const [axis, indices] = [d.axis(shape.length), d.shape(1, 2)];
    return () => tf.gather(of(shape), tf.zeros(indices, "int32"), axis);
  },
  GatherNd: (d) => {
    const shape = d.shape(2);
    const indices = [d.int(1, 3), d.int(1, shape.length)];
    return () => tf.gatherND(of(shape), tf.zeros(indices, "int32"));
  },
  ScatterNd: (d) => {
    const [count, ...shape] = d.shape(2);
    return () => tf.scatterND(tf.zeros([count!, 1], "int32"), of([count!, ...shape.slice(1)]), shape);
  },
  OneHot: (d) => {
    const [shape, depth] = [d.shape(1, 3), d.int(1, 4)];
    return () => tf.oneHot(tf.zeros(shape, "int32"), depth);
  },
  SpaceToBatchND: (d) => {
    const block = d.ints(2, 1, 3);
    const pads = block.map((n) => [d.int(0, n - 1), 0]);
    const cells = d.ints(2, 1, 3);
    const size = (i: 0 | 1) =>
      Math.max(1, cells[i]!) * block[i]! + (pads[i]![0]! === 0 ? 0 : block[i]! - pads[i]![0]!);
    const shape = [d.int(1, 2), size(0), size(1), d.int(1, 3)];
    return () => tf.spaceToBatchND(of(shape), block, pads);
  },
  BatchToSpaceND: (d) => {
    const block = d.ints(2, 1, 3);
    const crops = block.map((n) => [d.int(0, n - 1), 0]);
    const shape = [block[0]! * block[1]! * d.int(1, 2), d.int(1, 3), d.int(1, 3), d.int(1, 3)];
    return () => tf.batchToSpaceND(of(shape), block, crops);
  },
  DepthToSpace: (d) => {
    const block = d.int(2, 3);
    const shape: Shape4D = [d.int(1, 2), d.int(1, 3), d.int(1, 3), block ** 2 * d.int(1, 2)];
    return () => tf.depthToSpace(map(shape), block, "NHWC");
  },
  Fill: (d) => {
    const shape = d.shape();
    const dtype = d.pick(["float32", "int32"] as const);
    return () => tf.fill(shape, 1, dtype);
  },
  LinSpace: (d) => {
    const count = d.int(1, 9);
    return () => tf.linspace(0, 1, count);
  },
  Range: (d) => {
    const [start, stop, step] = [d.int(0, 3), d.int(4, 9), d.int(1, 3)];
    return () => kernelNamed("Range", {}, { start, stop, step, dtype: "float32" });
  },
};
