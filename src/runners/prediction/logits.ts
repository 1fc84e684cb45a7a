import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { DatasetInfo, Sample } from "../../datasets/contracts.ts";
import { SegfuseError } from "../../errors.ts";
import type { Segmentor } from "../../models/segmentor.ts";
import { writeSafetensors } from "../../weights/safetensors.ts";
import { makeWorkDir } from "../../util/work_dir.ts";
import { stackImages } from "../../evaluation/predict_images.ts";

/** @throws SegfuseError `SEGFUSE_PREDICT_IMAGES` where the network would not see all images at one size */
export function checkSizes(samples: readonly Sample[]): void {
  const [first] = samples;
  const other = samples.find(({ height, width }) => height !== first?.height || width !== first.width);
  if (first === undefined || other === undefined) return;
  throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "--logits needs images of one size", {
    where: other.id,
    expected: `${first.width}×${first.height}, as ${first.id}`,
    found: `${other.width}×${other.height}`,
    advice: "predict images of one size at a time, or resize them in data.test.transforms",
  });
}

/** `logits` [batch, height, width, classes] of one whole-image forward pass, at the size that the network saw. */
export async function writeLogits(
  path: string,
  segmentor: Segmentor,
  samples: readonly Sample[],
  info: DatasetInfo,
): Promise<void> {
  const logits = tf.tidy(() => segmentor.forward(stackImages(samples)));
  try {
    const data = Float32Array.from(await logits.data<"float32">());
    const metadata = {
      classes: JSON.stringify(info.classes),
      images: JSON.stringify(samples.map(({ id }) => id)),
    };
    makeWorkDir(dirname(path));
    await writeSafetensors(path, { logits: { shape: logits.shape, data } }, metadata);
  } finally {
    logits.dispose();
  }
}
