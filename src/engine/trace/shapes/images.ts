import type * as tf from "@tensorflow/tfjs";
import { each, input, output, type ShapeFunctions } from "./types.ts";

// Resizes and crops of [batch, height, width, channels].

export const images: ShapeFunctions = {
  ResizeBilinear: (inputs, { size: [height, width] }: tf.ResizeBilinearAttrs) => {
    const { shape } = input(inputs, "images");
    return output([shape[0]!, height, width, shape[3]!], "float32");
  },
  ResizeNearestNeighbor: (inputs, { size: [height, width] }: tf.ResizeNearestNeighborAttrs) => {
    const { shape, dtype } = input(inputs, "images");
    return output([shape[0]!, height, width, shape[3]!], dtype);
  },
  ...each(["ResizeBilinearGrad", "ResizeNearestNeighborGrad"], (inputs) =>
    output(input(inputs, "images").shape, input(inputs, "dy").dtype),
  ),
  CropAndResize: (inputs, { cropSize }: tf.CropAndResizeAttrs) => {
    const [height, width] = cropSize;
    const channels = input(inputs, "image").shape[3]!;
    return output([input(inputs, "boxes").shape[0]!, height, width, channels], "float32");
  },
  ...each(["FlipLeftRight", "RotateWithOffset"], (inputs) =>
    output(input(inputs, "image").shape, input(inputs, "image").dtype),
  ),
};
