import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, it } from "vitest";
import { useEngine } from "../../helpers/engine.ts";
import { expectNumericGradients } from "./numeric.ts";

// TensorFlow uses oneDNN on some processors only; without it, it has no dilated gradients on a CPU.
beforeAll(async () => {
  process.env.TF_ENABLE_ONEDNN_OPTS = "0";
  await useEngine();
});

it.each([
  ["same", 2],
  ["valid", 3],
] as const)("differentiates dilated convolutions: padding %s, dilation %d", (pad, dilation) => {
  const x = tf.randomNormal<tf.Rank.R4>([2, 9, 12, 3], 0, 1, "float32", 3);
  const kernel = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 2], 0, 1, "float32", 4);
  expectNumericGradients(
    (a, k) => tf.conv2d(a as tf.Tensor4D, k as tf.Tensor4D, 1, pad, "NHWC", dilation),
    [x, kernel],
  );
  expect(tf.getBackend()).toBe("tensorflow");
  tf.dispose([x, kernel]);
});

// Here, because oneDNN's allocator waits ten seconds for memory before it gives up.
it("says where memory is saved", () => {
  const tooLarge = () => tf.tidy(() => tf.tile(tf.zeros([32, 32]), [1 << 20, 1 << 20]));
  expect(tooLarge).toThrow(
    expect.objectContaining({
      code: "SEGFUSE_ENGINE_OPERATION",
      message: "TensorFlow refuses the operation Tile (RESOURCE_EXHAUSTED)",
      details: expect.objectContaining({
        found: expect.stringMatching(/^OOM .*, of \[32, 32\] and \[2\]$/) as string,
        advice: expect.stringMatching(/^less at once: a smaller data\.batch_size/) as string,
      }) as unknown,
    }) as Error,
  );
});
