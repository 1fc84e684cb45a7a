/**
 * Spreads a row of packed numbers (the first in the high bits, the row starting at a whole byte) to one element each.
 *
 * @param row the bytes of the row
 * @param depth bits of a number: 1, 2, 4 or 8
 * @param out where number x goes: `out[start + x * step]`
 */
export function unpackRow(
  row: Uint8Array,
  depth: number,
  width: number,
  out: Uint8Array,
  start: number,
  step = 1,
): void {
  const perByte = 8 / depth;
  const mask = (1 << depth) - 1;
  for (let x = 0; x < width; x++) {
    const byte = row[Math.floor(x / perByte)]!;
    out[start + x * step] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
  }
}
