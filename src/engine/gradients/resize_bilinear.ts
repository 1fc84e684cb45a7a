import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { activeTrace, attribute, nativeBackend } from "../kernel.ts";
import { interpolationMatrix, separable, type SamplePoints } from "../separable.ts";

/**
 * The gradient of `tf.image.resizeBilinear`. TF.js's own ignores half-pixel centres and swaps the height
 * and the width of inputs that are not square.
 * Native: TensorFlow's ResizeBilinearGrad with the forward's attributes. Portable: the transposes of the two
 * interpolation matrices.
 */
export const resizeBilinearGradient: GradConfig = {
  kernelName: "ResizeBilinear",
  inputsToSave: ["images"],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) => {
    const [images] = saved as [Tensor4D];
    const { alignCorners, halfPixelCenters } = attributes as unknown as {
      alignCorners: boolean;
      halfPixelCenters: boolean;
    };
    const points = alignCorners ? "aligned_corners" : halfPixelCenters ? "half_pixel_centers" : "top_left";
    return { images: () => resizeBilinearInputGradient(images, dy as Tensor4D, points) };
  },
};

/**
 * ∂L/∂x of a bilinear resize.
 *
 * @param images x; of its values nothing but the shape [batch, H, W, channels] counts
 * @param dy [batch, h, w, channels]
 */
export function resizeBilinearInputGradient(images: Tensor4D, dy: Tensor4D, points: SamplePoints): Tensor4D {
  const native = nativeBackend();
  if (native !== null)
    return native.executeSingleOutput(
      "ResizeBilinearGrad",
      [
        attribute.type(native, "T", "float32"),
        attribute.bool(native, "align_corners", points === "aligned_corners"),
        attribute.bool(native, "half_pixel_centers", points === "half_pixel_centers"),
      ],
      [dy, images],
    ) as Tensor4D;
  const trace = activeTrace();
  if (trace !== null)
    return trace.run("ResizeBilinearGrad", { dy }, { points }, [images.shape])[0] as Tensor4D;
  const [, height, width] = images.shape;
  const [, outHeight, outWidth] = dy.shape;
  return tf.tidy(() =>
    separable(
      dy,
      interpolationMatrix(height, outHeight, points),
      interpolationMatrix(width, outWidth, points),
      true,
    ),
  );
}
