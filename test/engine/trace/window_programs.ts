import * as tf from "@tensorflow/tfjs";
import { kernelNamed, map, of, type Draw, type Program, type Shape4D } from "./draw.ts";

/** A convolution's options: a stride or a dilation, padding of every kind. */
function convolution(d: Draw) {
  const dilated = d.flag();
  const explicit = d.ints(4, 0, 2);
  return {
    stride: dilated ? 1 : ([d.int(1, 3), d.int(1, 3)] as [number, number]),
    dilation: dilated ? ([d.int(1, 2), d.int(1, 2)] as [number, number]) : 1,
    pad: d.pick<"same" | "valid" | number | tf.backend_util.ExplicitPadding>([
      "same",
      "valid",
      d.int(0, 2),
      [
        [0, 0],
        [explicit[0]!, explicit[1]!],
        [explicit[2]!, explicit[3]!],
        [0, 0],
      ],
    ]),
    kernel: [d.int(1, 2), d.int(1, 2)] as [number, number],
  };
}

/** Programs of single kernels, by kernel: convolutions, poolings, matrix products, images. */
export const windowPrograms: Record<string, (d: Draw) => Program> = {
  Conv2D: (d) => {
    const { stride, dilation, pad, kernel } = convolution(d);
    const [x, out] = [d.map(), d.int(1, 4)];
    return () => tf.conv2d(map(x), map([...kernel, x[3], out]), stride, pad, "NHWC", dilation);
  },
  FusedConv2D: (d) => {
    const { stride, dilation, kernel } = convolution(d);
    const [x, out, pad] = [d.map(), d.int(1, 4), d.pick(["same", "valid"] as const)];
    return () =>
      tf.fused.conv2d({
        x: map(x),
        filter: map([...kernel, x[3], out]),
        strides: stride,
        dilations: dilation,
        pad,
        bias: of([out]),
        activation: "relu",
      });
  },
  DepthwiseConv2dNative: (d) => {
    const { stride, dilation, pad, kernel } = convolution(d);
    const [x, multiplier] = [d.map(), d.int(1, 3)];
    return () =>
      tf.depthwiseConv2d(map(x), map([...kernel, x[3], multiplier]), stride, pad, "NHWC", dilation);
  },
  FusedDepthwiseConv2D: (d) => {
    const { kernel } = convolution(d);
    const [x, multiplier, pad] = [d.map(), d.int(1, 3), d.pick(["same", "valid"] as const)];
    const filter: Shape4D = [...kernel, x[3], multiplier];
    return () => tf.fused.depthwiseConv2d({ x: map(x), filter: map(filter), strides: 1, pad });
  },
  Conv2DBackpropInput: (d) => {
    const [x, out, stride] = [d.map(), d.int(1, 3), d.int(1, 3)];
    const size: Shape4D = [x[0], x[1] * stride, x[2] * stride, out];
    return () => tf.conv2dTranspose(map(x), map([3, 3, out, x[3]]), size, stride, "same");
  },
  Conv2DBackpropFilter: (d) => {
    const [x, out] = [d.map(), d.int(1, 3)];
    const filterShape: Shape4D = [3, 3, x[3], out];
    const attributes = { strides: 1, pad: "same", dataFormat: "NHWC", filterShape };
    return () =>
      kernelNamed("Conv2DBackpropFilter", { x: map(x), dy: map([x[0], x[1], x[2], out]) }, attributes);
  },
  DepthwiseConv2dNativeBackpropInput: (d) => {
    const x = d.map();
    const attributes = { strides: 1, dilations: 1, pad: "same", inputShape: x };
    return () =>
      kernelNamed(
        "DepthwiseConv2dNativeBackpropInput",
        { dy: map(x), filter: map([3, 3, x[3], 1]) },
        attributes,
      );
  },
  DepthwiseConv2dNativeBackpropFilter: (d) => {
    const x = d.map();
    const attributes = { strides: 1, dilations: 1, pad: "same", filterShape: [3, 3, x[3], 1] };
    return () => kernelNamed("DepthwiseConv2dNativeBackpropFilter", { x: map(x), dy: map(x) }, attributes);
  },
  Conv3D: (d) => {
    const [x, out, pad] = [[1, ...d.ints(4, 2, 4)], d.int(1, 3), d.pick(["same", "valid"] as const)];
    const kernel = [2, 1, 2, x[4]!, out];
    const stride = d.int(1, 2);
    return () => tf.conv3d(of(x) as tf.Tensor5D, of(kernel) as tf.Tensor5D, stride, pad);
  },
  MaxPool: (d) => {
    const [x, size, stride, pad] = [d.map(), d.int(2, 3), d.int(1, 3), d.pick(["same", "valid", 1] as const)];
    return () => tf.maxPool(map(x), size, stride, pad);
  },
  AvgPool: (d) => {
    const [x, size, stride, pad] = [d.map(), d.int(2, 3), d.int(1, 3), d.pick(["same", "valid", 1] as const)];
    return () => tf.avgPool(map(x), size, stride, pad);
  },
  MaxPool3D: (d) => {
    const [x, pad] = [[1, ...d.ints(4, 2, 4)], d.pick(["same", "valid"] as const)];
    return () => tf.maxPool3d(of(x) as tf.Tensor5D, 2, 1, pad);
  },
  AvgPool3D: (d) => {
    const [x, pad] = [[1, ...d.ints(4, 2, 4)], d.pick(["same", "valid"] as const)];
    return () => tf.avgPool3d(of(x) as tf.Tensor5D, 2, 1, pad);
  },
  MaxPoolWithArgmax: (d) => {
    const [x, size] = [d.map(), d.int(2, 3)];
    const attributes = { filterSize: size, strides: size, pad: "same", includeBatchInIndex: false };
    return () => kernelNamed("MaxPoolWithArgmax", { x: map(x) }, attributes);
  },
  MaxPoolGrad: (d) => {
    const x = d.map();
    const attributes = { filterSize: 3, strides: 1, pad: "same" };
    return () => kernelNamed("MaxPoolGrad", { dy: map(x), input: map(x), output: map(x) }, attributes);
  },
  AvgPoolGrad: (d) => {
    const x = d.map();
    return () =>
      kernelNamed("AvgPoolGrad", { dy: map(x), input: map(x) }, { filterSize: 3, strides: 1, pad: "same" });
  },
  Dilation2D: (d) => {
    const [x, pad, rate] = [d.map(), d.pick(["same", "valid"] as const), d.int(1, 2)];
    return () => tf.dilation2d(map(x), of([2, 2, x[3]]) as tf.Tensor3D, 1, pad, rate);
  },
  FusedBatchNorm: (d) => {
    const x = d.map();
    const statistic = () => of([x[3]]) as tf.Tensor1D;
    return () => tf.batchNorm(map(x), statistic(), statistic(), statistic(), statistic());
  },
  LRN: (d) => {
    const x = d.map();
    return () => tf.localResponseNormalization(map(x));
  },
  LRNGrad: (d) => {
    const x = d.map();
    const attributes = { depthRadius: 2, bias: 1, alpha: 1, beta: 0.5 };
    return () => kernelNamed("LRNGrad", { x: map(x), y: map(x), dy: map(x) }, attributes);
  },
  BatchMatMul: (d) => {
    const [n, m, k] = d.ints(3, 1, 5) as [number, number, number];
    const [left, right] = [d.flag(), d.flag()];
    const batch = d.shape(0, 2);
    const other = d.broadcastable(batch);
    const a = [...batch, ...(left ? [k, n] : [n, k])];
    const b = [...other, ...(right ? [m, k] : [k, m])];
    return () => tf.matMul(of(a), of(b), left, right);
  },
  _FusedMatMul: (d) => {
    const [n, m, k] = d.ints(3, 1, 5) as [number, number, number];
    return () => tf.fused.matMul({ a: of([n, k]), b: of([k, m]), bias: of([m]), activation: "relu" });
  },
  Einsum: (d) => {
    const [b, i, j, k] = d.ints(4, 1, 4);
    const equation = d.pick(["bij,bjk->bik", "bij , bjk -> kbi", "bij,bjk->ikb"]);
    return () => tf.einsum(equation, of([b!, i!, j!]), of([b!, j!, k!]));
  },
  ResizeBilinear: (d) => {
    const [x, height, width, aligned] = [d.map(), d.int(1, 12), d.int(1, 12), d.flag()];
    return () => tf.image.resizeBilinear(map(x), [height, width], aligned, !aligned);
  },
  ResizeNearestNeighbor: (d) => {
    const [x, height, width] = [d.map(), d.int(1, 12), d.int(1, 12)];
    const dtype = d.pick(["float32", "int32"] as const);
    return () => tf.image.resizeNearestNeighbor(of(x, dtype) as tf.Tensor4D, [height, width]);
  },
  ResizeBilinearGrad: (d) => {
    // TF.js's own swaps height and width.
    const n = d.int(3, 9);
    const x: Shape4D = [1, n, n, d.int(1, 4)];
    const dy: Shape4D = [x[0], 7, 5, x[3]];
    return () => kernelNamed("ResizeBilinearGrad", { images: map(x), dy: map(dy) }, { alignCorners: true });
  },
  ResizeNearestNeighborGrad: (d) => {
    const x = d.map();
    const dy: Shape4D = [x[0], 7, 5, x[3]];
    return () =>
      kernelNamed("ResizeNearestNeighborGrad", { images: map(x), dy: map(dy) }, { alignCorners: true });
  },
  CropAndResize: (d) => {
    const [x, boxes, size] = [d.map(), d.int(1, 3), d.ints(2, 1, 6) as [number, number]];
    return () =>
      tf.image.cropAndResize(map(x), of([boxes, 4]) as tf.Tensor2D, tf.zeros([boxes], "int32"), size);
  },
  FlipLeftRight: (d) => {
    const x = d.map();
    return () => tf.image.flipLeftRight(map(x));
  },
  RotateWithOffset: (d) => {
    const x = d.map();
    return () => tf.image.rotateWithOffset(map(x), 0.5);
  },
};
