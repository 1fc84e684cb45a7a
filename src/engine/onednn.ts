import * as tf from "@tensorflow/tfjs";
import { depthwiseName } from "./dilated_depthwise.ts";
import { nativeConvAttributes } from "./gradients/native_convolution.ts";
import { nativeBackend } from "./kernel.ts";

/**
 * TensorFlow switches oneDNN on by itself only where the processor has AVX512-VNNI or newer. With it every processor
 * has the same operations (without, there is no dilated depthwise convolution on a CPU) and trains a sixth faster.
 */
export const oneDnnVariable = "TF_ENABLE_ONEDNN_OPTS";

/** What the user has said of oneDNN; null: nothing, or nothing that TensorFlow understands. */
export function oneDnnSetting(env: NodeJS.ProcessEnv = process.env): boolean | null {
  const word = env[oneDnnVariable]?.toLowerCase() ?? "";
  return /^(1|true)$/.test(word) ? true : /^(0|false)$/.test(word) ? false : null;
}

/** Whether the native engine, which must be in use, has what it has with oneDNN alone: dilated depthwise convolutions. */
export function computesWithOneDnn(): boolean {
  const native = nativeBackend();
  if (native === null || native.isUsingGpuDevice) return false;
  const attributes = nativeConvAttributes(native, { stride: [1, 1], dilation: [2, 2] }, "VALID");
  return tf.tidy(() => {
    try {
      // `executeSingleOutput` would compute it in another way.
      native.executeMultipleOutputs(
        depthwiseName,
        attributes,
        [tf.ones([1, 5, 5, 1]), tf.ones([3, 3, 1, 1])],
        1,
      );
      return true;
    } catch {
      return false;
    }
  });
}
