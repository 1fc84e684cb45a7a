/**
 * Undoes a BMP's run-length coding (RLE8, RLE4), which goes from the bottom up. Pixels that it skips stay 0.
 *
 * @param out [height, width], all 0
 * @throws Error where the code ends early or leaves the picture
 */
export function decodeRle(
  code: Uint8Array,
  depth: 4 | 8,
  { width, height }: { width: number; height: number },
  out: Uint8Array,
): void {
  let [x, y, at] = [0, 0, 0];
  const put = (value: number) => {
    if (x >= width || y >= height) throw new Error("run-length coded pixels leave the picture");
    out[(height - 1 - y) * width + x++] = value;
  };
  /** Number k of the bytes from `from` on, packed as in the picture. */
  const packed = (from: number, k: number) =>
    depth === 8 ? code[from + k]! : (code[from + (k >> 1)]! >> (k % 2 === 0 ? 4 : 0)) & 15;
  for (;;) {
    if (at + 2 > code.length) throw new Error("the picture ends early");
    const [count, value] = [code[at]!, code[at + 1]!];
    at += 2;
    if (count > 0) {
      for (let k = 0; k < count; k++) put(packed(at - 1, depth === 8 ? 0 : k % 2));
      continue;
    }
    if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) return;
    else if (value === 2) {
      x += code[at] ?? 0;
      y += code[at + 1] ?? 0;
      at += 2;
    } else {
      const bytes = Math.ceil((value * depth) / 8);
      if (at + bytes > code.length) throw new Error("the picture ends early");
      for (let k = 0; k < value; k++) put(packed(at, k));
      at += bytes + (bytes % 2);
    }
  }
}
