import { SegfuseError } from "../errors.ts";
import type { RawLabel } from "./contracts.ts";
import { labelArray } from "./label_array.ts";
import type { RawMask, Rgb } from "./masks/raw_mask.ts";

/** From the colours of a mask to class numbers and the ignore index. */
export class ColorTable {
  private readonly labels = new Map<number, number>();
  private readonly doubled: string | null = null;

  /**
   * @param colors of classes, by their numbers; two classes may share a colour as long as no colour mask is read
   * @param mapped what `label_map` says of colours, which goes over the classes'
   * @param other the label of all other colours; null: they are errors
   */
  constructor(
    colors: Iterable<readonly [color: Rgb, label: number]>,
    mapped: Iterable<readonly [color: Rgb, label: number]> = [],
    private readonly other: number | null = null,
  ) {
    const classes = new Map<number, number>();
    for (const [color, label] of colors) {
      const key = packed(color);
      const first = classes.get(key);
      if (first !== undefined) this.doubled ??= `${hex(key)}, of classes ${first} and ${label}`;
      else classes.set(key, label);
    }
    for (const [key, label] of classes) this.labels.set(key, label);
    for (const [color, label] of mapped) this.labels.set(packed(color), label);
  }

  /** True where a config names no colour at all. */
  get isEmpty(): boolean {
    return this.labels.size === 0;
  }

  /** The label of a colour; undefined where it has none. */
  labelOf(color: Rgb): number | undefined {
    return this.labels.get(packed(color));
  }

  /**
   * The mask's class numbers.
   * @throws SegfuseError SEGFUSE_DATA_LABEL with every unexpected colour, its count and where it is first met;
   *   SEGFUSE_DATA_OPTION where two classes have one colour
   */
  apply(mask: RawMask, file: string): RawLabel {
    if (this.doubled !== null)
      throw new SegfuseError(
        "SEGFUSE_DATA_OPTION",
        "two classes have the same colour, and a mask has colours",
        {
          where: file,
          expected: "a color for each class in data.dataset.classes that no other class has",
          found: this.doubled,
        },
      );
    const { width, height, data } = mask;
    const out = labelArray(width * height, Math.max(...this.labels.values(), this.other ?? 0));
    const wrong = new Map<number, { count: number; first: number }>();
    let [last, label]: [number, number | undefined] = [-1, undefined];
    for (let p = 0; p < out.length; p++) {
      const key = (data[3 * p]! << 16) | (data[3 * p + 1]! << 8) | data[3 * p + 2]!;
      if (key !== last) [last, label] = [key, this.labels.get(key) ?? this.other ?? undefined];
      if (label !== undefined) out[p] = label;
      else {
        const found = wrong.get(key) ?? { count: 0, first: p };
        found.count++;
        wrong.set(key, found);
      }
    }
    if (wrong.size > 0) throw unknownColors(wrong, mask, file);
    return { width, height, data: out };
  }
}

function unknownColors(
  wrong: ReadonlyMap<number, { count: number; first: number }>,
  { width }: RawMask,
  file: string,
): SegfuseError {
  const most = [...wrong].sort(([, a], [, b]) => b.count - a.count);
  const shown = most.slice(0, 5).map(([key, { count, first }]) => {
    const pixels = count === 1 ? "1 pixel" : `${count} pixels`;
    return `${hex(key)} in ${pixels}, first at x=${first % width}, y=${Math.floor(first / width)}`;
  });
  if (most.length > shown.length) shown.push(`and ${most.length - shown.length} more colours`);
  return new SegfuseError("SEGFUSE_DATA_LABEL", "a mask has a colour that is no class's", {
    where: file,
    expected: "colours of classes (data.dataset.classes) or of data.dataset.label_map",
    found: shown.join("; "),
    advice:
      `data.dataset.label_map: {"${hex(most[0]![0])}": ignore}, or a class's number for it` +
      (most.length > 50 ? "; so many colours are a smoothed or JPEG-compressed mask, which is damaged" : ""),
  });
}

/** `#rrggbb` → red, green, blue; null where the text is no colour. */
export function parseColor(text: string): Rgb | null {
  if (!/^#[0-9a-fA-F]{6}$/.test(text)) return null;
  const key = Number.parseInt(text.slice(1), 16);
  return [key >> 16, (key >> 8) & 255, key & 255];
}

export function colorText(color: Rgb): string {
  return hex(packed(color));
}

function packed([red, green, blue]: Rgb): number {
  return (red << 16) | (green << 8) | blue;
}

function hex(key: number): string {
  return `#${key.toString(16).padStart(6, "0")}`;
}
