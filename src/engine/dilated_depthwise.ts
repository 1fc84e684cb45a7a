import type { Tensor, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { nativeConvAttributes } from "./gradients/native_convolution.ts";
import { attribute, type NativeAttribute, type NativeBackend } from "./kernel.ts";

/** TensorFlow's name of the operation. */
export const depthwiseName = "DepthwiseConv2dNative";

/**
 * A dilated depthwise convolution by kernels that know no dilation, which is all that TensorFlow's CPU has without
 * oneDNN: the phases of x, which SpaceToBatchND separates, become batch entries of a convolution of dilation 1.
 *
 * @param attributes as the operation itself takes them, stride 1, channels last
 * @param inputs x [batch, H, W, C] and the kernel [kh, kw, C, m]
 * @returns [batch, h, w, C·m], the caller's to dispose of
 */
export function dilatedDepthwise(
  native: NativeBackend,
  attributes: readonly NativeAttribute[],
  [x, kernel]: readonly TensorInfo[],
): Tensor {
  const value = (name: string) => attributes.find((one) => one.name === name)?.value;
  const dilation = (value("dilations") as number[]).slice(1, 3);
  const explicit = value("explicit_paddings") as number[] | undefined;
  const axes = ([0, 1] as const).map((axis) => {
    const size = x!.shape[axis + 1]!;
    const reach = dilation[axis]! * (kernel!.shape[axis]! - 1);
    const [before, after] = paddingOf(value("padding") as string, reach, explicit?.slice(2 + 2 * axis));
    const out = size + before + after - reach;
    // Zeros make it whole phases; what is computed of them alone is cut off again.
    const extra = (dilation[axis]! - ((size + before + after) % dilation[axis]!)) % dilation[axis]!;
    return { before, after: after + extra, crop: size + before + after + extra - reach - out };
  });
  const type = attribute.type(native, "T", "float32");
  const index = (name: string) => attribute.type(native, name, "int32");
  const kept: Tensor[] = [];
  const keep = <T extends Tensor>(tensor: T): T => {
    kept.push(tensor);
    return tensor;
  };
  try {
    const block = keep(tf.tensor1d(dilation, "int32"));
    const paddings = keep(
      tf.tensor2d(
        axes.map(({ before, after }) => [before, after]),
        [2, 2],
        "int32",
      ),
    );
    const crops = keep(
      tf.tensor2d(
        axes.map(({ crop }) => [0, crop]),
        [2, 2],
        "int32",
      ),
    );
    const phases = keep(
      native.executeSingleOutput(
        "SpaceToBatchND",
        [type, index("Tblock_shape"), index("Tpaddings")],
        [x!, block, paddings],
      ),
    );
    const plain = nativeConvAttributes(native, { stride: [1, 1], dilation: [1, 1] }, "VALID");
    const filtered = keep(native.executeSingleOutput(depthwiseName, plain, [phases, kernel!]));
    return native.executeSingleOutput(
      "BatchToSpaceND",
      [type, index("Tblock_shape"), index("Tcrops")],
      [filtered, block, crops],
    );
  } finally {
    tf.dispose(kept);
  }
}

/** Zeros before the first and after the last pixel of an axis, at stride 1. */
function paddingOf(padding: string, reach: number, explicit: number[] | undefined): [number, number] {
  if (padding === "EXPLICIT") return [explicit![0]!, explicit![1]!];
  return padding === "SAME" ? [Math.floor(reach / 2), Math.ceil(reach / 2)] : [0, 0];
}

/** Whether this call is one that {@link dilatedDepthwise} can stand in for. */
export function isDilatedDepthwise(name: string, attributes: readonly NativeAttribute[]): boolean {
  const ints = (key: string) => (attributes.find((one) => one.name === key)?.value ?? []) as number[];
  return (
    name === depthwiseName && ints("dilations").some((n) => n > 1) && ints("strides").every((n) => n === 1)
  );
}
