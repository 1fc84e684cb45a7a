import type * as tf from "@tensorflow/tfjs";
import { each, input, output, type ShapeFunctions } from "./types.ts";

// Resizes and crops of [batch, height, width, channels].

export const images: ShapeFunctions = {
  ...each(["ResizeBilinear", "ResizeNearestNeighbor"], (inputs, { size }: tf.ResizeBilinearAttrs) => {
    const { shape, dtype } = input(inputs, "images");
    const [height, width] = size;
    // Nearest-neighbour keeps integers; interpolation makes floating point of them.
    return output([shape[0]!, height, width, shape[3]!], dtype === "int32" ? "float32" : dtype);
  }),
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
