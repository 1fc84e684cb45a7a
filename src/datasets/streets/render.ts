import sharp from "sharp";
import { SegfuseError } from "../../errors.ts";
import { Random } from "../../util/random.ts";
import type { RawImage, RawLabel } from "../contracts.ts";
import { labelStep } from "./canvas.ts";
import { paintScene } from "./scene.ts";
import type { Light } from "./world.ts";

export interface StreetPicture {
  readonly image: RawImage & { readonly data: Uint8Array };
  readonly label: RawLabel & { readonly data: Uint8Array };
}

/**
 * Draws one street. The same keys give the same picture on the same machine (librsvg's rounding may differ
 * between versions).
 *
 * @param keys seed, split and number of the picture
 */
export async function renderStreet(
  height: number,
  width: number,
  keys: readonly (string | number)[],
): Promise<StreetPicture> {
  const { canvas, light } = paintScene(width, height, new Random(...keys, "scene"));
  const [picture, label] = await Promise.all([rasterise(canvas.pictureSvg()), rasterise(canvas.labelSvg())]);
  const image = Uint8Array.from(picture);
  expose(image, width, height, light, new Random(...keys, "exposure"));
  return {
    image: { height, width, channels: 3, data: image },
    label: { height, width, data: classNumbers(label) },
  };
}

async function rasterise(svg: string): Promise<Uint8Array> {
  return sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
}

/** @throws SegfuseError SEGFUSE_INTERNAL where the renderer has blended two classes */
function classNumbers(rgb: Uint8Array): Uint8Array {
  const out = new Uint8Array(rgb.length / 3);
  for (let p = 0; p < out.length; p++) {
    const grey = rgb[3 * p]!;
    if (grey % labelStep !== 0)
      throw new SegfuseError("SEGFUSE_INTERNAL", "a drawn label map has blended pixels", {
        found: `grey ${grey}`,
      });
    out[p] = grey / labelStep;
  }
  return out;
}

/** What a camera does: the light's colour and strength, light falling off to one side, and noise. */
function expose(image: Uint8Array, width: number, height: number, light: Light, random: Random): void {
  const slope = random.between(-0.16, 0.16);
  const vignette = random.between(0, 0.22);
  const noise = random.between(2, 9) * (light.name === "dusk" ? 1.5 : 1);
  const [red, green, blue] = light.gain;
  for (let y = 0, k = 0; y < height; y++) {
    const v = (2 * y) / height - 1;
    for (let x = 0; x < width; x++, k += 3) {
      const u = (2 * x) / width - 1;
      const strength = (1 + slope * u) * (1 - vignette * 0.5 * (u * u + v * v));
      // Two 16-bit halves: brightness noise with a triangular distribution, and a little of it in colour.
      const bits = random.uint32();
      const a = (bits & 0xffff) / 0xffff - 0.5;
      const b = (bits >>> 16) / 0xffff - 0.5;
      const grain = noise * (a + b) * 1.6;
      image[k] = clamp(image[k]! * red * strength + grain + noise * a * 0.5);
      image[k + 1] = clamp(image[k + 1]! * green * strength + grain);
      image[k + 2] = clamp(image[k + 2]! * blue * strength + grain + noise * b * 0.5);
    }
  }
}

const clamp = (value: number): number => (value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value));
