import { SegfuseError } from "../errors.ts";
import type { RawLabel } from "./contracts.ts";
import { labelArray } from "./label_array.ts";
import type { RawMask } from "./masks/raw_mask.ts";

/** How many values a mask can store: 0 to 65,535. */
export const storedValues = 65536;

/** From the numbers that a mask file stores to class numbers and the ignore index. */
export class LabelTable {
  private readonly table = new Int32Array(storedValues).fill(-1);
  /** The largest label that it gives. */
  private largest = 0;

  /** @param labels pairs of stored value and class number (or ignore index); every other value is an error */
  constructor(
    labels: Iterable<readonly [stored: number, label: number]>,
    private readonly expected: string,
  ) {
    for (const [stored, label] of labels) this.set(stored, label);
  }

  /** Classes 0..numClasses-1 as they are stored, and the ignore index. */
  static plain(numClasses: number, ignoreIndex: number): LabelTable {
    const classes = Array.from({ length: numClasses }, (_, k) => [k, k] as const);
    return new LabelTable(
      [...classes, [ignoreIndex, ignoreIndex]],
      `classes 0..${numClasses - 1} and ${ignoreIndex} (ignore)`,
    );
  }

  /** Masks where 0 means "other": 0 → ignore, k → k − 1 (ADE20K, mmsegmentation's `reduce_zero_label`). */
  static shifted(numClasses: number, ignoreIndex: number): LabelTable {
    const classes = Array.from({ length: numClasses }, (_, k) => [k + 1, k] as const);
    return new LabelTable(
      [[ignoreIndex, ignoreIndex], ...classes, [0, ignoreIndex]],
      `0 (ignore), classes as 1..${numClasses}, and ${ignoreIndex} (ignore)`,
    );
  }

  /**
   * This table with some values read otherwise.
   *
   * @param labels pairs of stored value and label
   * @param other the label of every value that `labels` does not name; null: as before
   * @param described `labels` and `other` in words
   */
  with(labels: ReadonlyMap<number, number>, other: number | null, described: string): LabelTable {
    const changed = new LabelTable(
      labels,
      other === null ? `${this.expected}; label_map: ${described}` : described,
    );
    for (let value = 0; value < storedValues; value++)
      if (!labels.has(value)) changed.set(value, other ?? this.table[value]!);
    return changed;
  }

  private set(stored: number, label: number): void {
    this.table[stored] = label;
    this.largest = Math.max(this.largest, label);
  }

  /**
   * The mask's class numbers.
   * @param mask of one channel
   * @throws SegfuseError SEGFUSE_DATA_LABEL with every unexpected value, its count and where it is first met
   */
  apply(mask: RawMask, file: string): RawLabel {
    const { width, height, data } = mask;
    const counts = new Int32Array(data instanceof Uint16Array ? storedValues : 256);
    const out = labelArray(data.length, this.largest);
    for (let p = 0; p < data.length; p++) {
      const stored = data[p]!;
      counts[stored]!++;
      out[p] = this.table[stored]!;
    }
    const wrong = Array.from(counts.keys()).filter((value) => counts[value]! > 0 && this.table[value]! < 0);
    if (wrong.length > 0) throw this.error(mask, file, wrong, counts);
    return { width, height, data: out };
  }

  private error(mask: RawMask, file: string, wrong: number[], counts: Int32Array): SegfuseError {
    const shown = wrong.slice(0, 5).map((value) => {
      const p = mask.data.indexOf(value);
      const pixels = counts[value] === 1 ? "1 pixel" : `${counts[value]} pixels`;
      return `value ${value} in ${pixels}, first at x=${p % mask.width}, y=${Math.floor(p / mask.width)}`;
    });
    if (wrong.length > shown.length) shown.push(`and ${wrong.length - shown.length} more values`);
    return new SegfuseError("SEGFUSE_DATA_LABEL", "a mask holds a value that is no class", {
      where: file,
      expected: this.expected,
      found: shown.join("; "),
      advice:
        `data.dataset.label_map: {${wrong[0]}: ignore}, or a class's number for it; ` +
        "or correct the mask, the list of classes, ignore_index or reduce_zero_label",
    });
  }
}
