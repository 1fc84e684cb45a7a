import { einsumSizes, type TraceNode, type TraceValue } from "../engine/trace/index.ts";

/**
 * What counts as an operation.
 * - `mac`: multiply-adds of convolutions; biases, normalisation, activations, pooling and resizing not counted.
 * - `2mac`: twice that, a multiplication and an addition being two.
 * - `mmseg`: as mmcv's `get_model_complexity_info` counts, whose numbers mmsegmentation's documentation prints:
 *   multiply-adds of convolutions and linear layers, 1 per output of a convolution with a bias, 2 per element of
 *   a normalisation with weight and bias (1 without), 1 per output of a ReLU and its like, 1 per input of a
 *   pooling; resizes, sigmoids, sums and products are free there.
 */
export type Convention = "mac" | "2mac" | "mmseg";

export const conventions = ["mac", "2mac", "mmseg"] as const satisfies readonly Convention[];

/** One line on each, for tables. */
export const conventionTexts: Readonly<Record<Convention, string>> = {
  mac: "multiply-adds of convolutions",
  "2mac": "2 × multiply-adds of convolutions",
  mmseg:
    "mmsegmentation's count: multiply-adds of convolutions + biases + 2 per normalised element + 1 per ReLU + pooled inputs",
};

/** What one operation of a forward pass counts. */
export interface Arithmetic {
  /** In the convention. */
  operations: (node: TraceNode) => number;
  /** Multiply-adds of matrix products. */
  matrixProducts: (node: TraceNode) => number;
}

/** The counts of a trace's operations; those of a backward pass count nothing. */
export function arithmetic(nodes: readonly TraceNode[], convention: Convention): Arithmetic {
  const count = (node: TraceNode) => {
    switch (convention) {
      case "mac":
        return multiplyAdds(node);
      case "2mac":
        return 2 * multiplyAdds(node);
      case "mmseg":
        return multiplyAdds(node) + linearLayer(node) + beside(node, nodes);
    }
  };
  return {
    operations: (node) => (node.backward ? 0 : count(node)),
    matrixProducts: (node) => (node.backward ? 0 : matrixProduct(node)),
  };
}

/** Multiply-adds of a convolution, positions in the padding counted as any other; 0 of other operations. */
function multiplyAdds({ op, inputs, outputs }: TraceNode): number {
  const kernel = inputs[1]?.shape ?? [];
  switch (op) {
    // Kernels [kh, kw, in, out] and [kd, kh, kw, in, out]: each output is a sum over all but `out`.
    case "Conv2D":
    case "FusedConv2D":
    case "Conv3D":
      return size(outputs[0]!) * product(kernel.slice(0, -1));
    // [kh, kw, C, m]: each output sees one channel.
    case "DepthwiseConv2dNative":
    case "FusedDepthwiseConv2D":
      return size(outputs[0]!) * product(kernel.slice(0, 2));
    // Transposed convolutions, kernel [kh, kw, out, in]: each input is spread over kh·kw·out outputs.
    case "Conv2DBackpropInput":
    case "Conv3DBackpropInputV2":
      return size(inputs[0]!) * product(kernel.slice(0, -1));
    case "DepthwiseConv2dNativeBackpropInput":
      return size(inputs[0]!) * product(kernel.slice(0, 2));
    default:
      return 0;
  }
}

/** Multiply-adds of a matrix product; 0 of other operations. */
function matrixProduct({ op, inputs, outputs, attributes }: TraceNode): number {
  if (op === "BatchMatMul" || op === "_FusedMatMul") {
    const inner = inputs[0]!.shape.at(attributes["transposeA"] === true ? -2 : -1)!;
    return size(outputs[0]!) * inner;
  }
  if (op === "Einsum") {
    const shapes = inputs.map(({ shape }) => shape);
    return product([...einsumSizes(attributes["equation"] as string, shapes).values()]);
  }
  return 0;
}

/** A matrix product with a parameter is a linear layer. */
function linearLayer(node: TraceNode): number {
  return node.inputs.some(({ source }) => source.kind === "parameter") ? matrixProduct(node) : 0;
}

const rectifiers = new Set(["Relu", "Relu6", "Prelu", "Elu", "LeakyRelu"]);
const poolings = new Set(["MaxPool", "AvgPool", "AdaptiveAvgPool", "MaxPool3D", "AvgPool3D"]);

/** What mmcv counts of an operation beside its multiply-adds. */
function beside(node: TraceNode, nodes: readonly TraceNode[]): number {
  const { op, inputs, outputs, attributes } = node;
  const made = size(outputs[0]!);
  if (rectifiers.has(op)) return made;
  if (poolings.has(op)) return size(inputs[0]!);
  // x, mean and variance alone have no weight and bias.
  if (op === "FusedBatchNorm") return inputs.length > 3 ? 2 * made : made;
  if (op === "FusedBatchNormTraining") return 2 * made;
  if (op === "Add" && isBias(inputs, nodes)) return made;
  if (op === "FusedConv2D" || op === "FusedDepthwiseConv2D") {
    const bias = inputs.length > 2 ? made : 0;
    return bias + (attributes["activation"] === "relu" || attributes["activation"] === "relu6" ? made : 0);
  }
  return 0;
}

/** Whether an addition is that of a parameter of one axis to what a convolution has put out. */
function isBias(inputs: readonly TraceValue[], nodes: readonly TraceNode[]): boolean {
  const vector = inputs.some(({ source, shape }) => source.kind === "parameter" && shape.length === 1);
  return (
    vector && inputs.some(({ source }) => source.kind === "node" && multiplyAdds(nodes[source.node]!) > 0)
  );
}

function size({ shape }: { readonly shape: readonly number[] }): number {
  return product(shape);
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total * n, 1);
}
