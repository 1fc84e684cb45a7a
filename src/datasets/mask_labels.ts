import type { ColorTable } from "./color_table.ts";
import { colorText } from "./color_table.ts";
import type { RawLabel } from "./contracts.ts";
import type { LabelTable } from "./label_table.ts";
import { refusedMask, type RawMask, type Rgb } from "./masks/raw_mask.ts";

/** What the pixels of a mask with a palette say: their numbers, or their colours. */
export type PaletteMasks = "auto" | "numbers" | "colors";

/** Turns what a mask file stores into labels: numbers by one table, colours by another. */
export class MaskLabels {
  constructor(
    private readonly values: LabelTable,
    private readonly colors: ColorTable,
    private readonly paletteMasks: PaletteMasks,
  ) {}

  /**
   * The mask's class numbers.
   *
   * @param file named in errors
   * @throws SegfuseError SEGFUSE_DATA_LABEL, SEGFUSE_DATA_MASK, SEGFUSE_DATA_OPTION
   */
  apply(mask: RawMask, file: string): RawLabel {
    const { values, colors, paletteMasks } = this;
    if (mask.channels === 3) {
      if (!colors.isEmpty) return colors.apply(mask, file);
      const grey = asGrey(mask);
      if (grey === null) throw withoutColors(mask, file);
      return values.apply(grey, file);
    }
    if (mask.palette === undefined || paletteMasks === "numbers") return values.apply(mask, file);
    if (paletteMasks === "colors") return colors.apply(painted(mask, mask.palette, file), file);
    const labels = values.apply(mask, file);
    this.refuseOtherOrder(mask, mask.palette, labels, file);
    return labels;
  }

  /**
   * Programs that make files smaller number a palette's colours as they please. Where every colour that a mask shows is
   * one that the config knows, and the numbers say something else, one of the two is wrong.
   */
  private refuseOtherOrder(
    { data }: RawMask,
    palette: readonly Rgb[],
    { data: labels }: RawLabel,
    file: string,
  ): void {
    const used = new Map<number, number>();
    for (let p = 0; p < data.length; p++) used.set(data[p]!, labels[p]!);
    let contradiction: string | null = null;
    for (const [value, label] of used) {
      const color = palette[value];
      const byColor = color && this.colors.labelOf(color);
      if (byColor === undefined) return;
      if (byColor !== label)
        contradiction ??= `number ${value} is label ${label}, its colour ${colorText(color!)} is that of ${byColor}`;
    }
    if (contradiction === null) return;
    throw refusedMask(file, "a palette mask's numbers and colours say different classes", {
      expected: "the classes' colours at the classes' numbers",
      found: contradiction,
      advice: "data.dataset.palette_masks: colors, or numbers where the palette means nothing",
    });
  }
}

/** A picture whose three channels are the same as one of them; null where they are not. */
function asGrey({ width, height, data }: RawMask): RawMask | null {
  const grey = new Uint8Array(width * height);
  for (let p = 0; p < grey.length; p++) {
    const value = data[3 * p]!;
    if (data[3 * p + 1] !== value || data[3 * p + 2] !== value) return null;
    grey[p] = value;
  }
  return { width, height, channels: 1, data: grey };
}

function painted({ width, height, data }: RawMask, palette: readonly Rgb[], file: string): RawMask {
  const out = new Uint8Array(width * height * 3);
  for (let p = 0; p < data.length; p++) {
    const color = palette[data[p]!];
    if (color === undefined)
      throw refusedMask(file, "a mask's palette lacks a colour that it uses", {
        expected: `colours for all numbers`,
        found: `number ${data[p]} with a palette of ${palette.length}`,
      });
    out.set(color, 3 * p);
  }
  return { width, height, channels: 3, data: out };
}

function withoutColors({ data }: RawMask, file: string) {
  const found = new Set<string>();
  for (let k = 0; k < data.length && found.size < 4; k += 3)
    found.add(colorText([data[k]!, data[k + 1]!, data[k + 2]!]));
  return refusedMask(file, "a mask has colours, and the classes have none", {
    expected: "one channel (grey or palette) whose values are class numbers, or classes with colours",
    found: `3 channels, with ${[...found].slice(0, 3).join(", ")}${found.size > 3 ? ", …" : ""}`,
    advice: "give every class its color: data.dataset.classes: [{name: road, color: [128, 64, 128]}, …]",
  });
}
