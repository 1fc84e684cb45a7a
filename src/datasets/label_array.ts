import type { LabelData } from "./contracts.ts";

/** The largest label that a byte holds. */
const mostInByte = 255;

/**
 * Room for labels, 0 at first: of 8 bits as long as the largest of them fits, as it does with at most 255 classes.
 *
 * @param largest the largest label that may come in; the ignore index, where it is known
 */
export function labelArray(length: number, largest: number): LabelData {
  return largest > mostInByte ? new Uint16Array(length) : new Uint8Array(length);
}

/** How many different values labels of this kind can have. */
export function labelValues(labels: LabelData): number {
  return 2 ** (8 * labels.BYTES_PER_ELEMENT);
}
