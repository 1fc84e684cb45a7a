import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readMask } from "../../src/datasets/mask_file.ts";
import { complaint, put } from "./support.ts";

interface MaskFixture {
  /** Base64. */
  file: string;
  /** [height, width] or [height, width, 3]; empty where the file is to be refused. */
  shape: number[];
  /** Base64 of little-endian 16-bit numbers: what Pillow reads. */
  pixels: string;
  /** Pillow's mode. */
  mode: string;
}

/** What test/fixtures/make_masks.py wrote. */
const fixtures = JSON.parse(
  readFileSync(new URL("../fixtures/masks.json", import.meta.url), "utf8"),
) as Record<string, MaskFixture>;
const names = Object.keys(fixtures);

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-masks-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function write(name: string): string {
  const file = join(root, name);
  put(file, Buffer.from(fixtures[name]!.file, "base64"));
  return file;
}

function pixelsOf({ pixels }: MaskFixture): number[] {
  const bytes = Uint8Array.from(Buffer.from(pixels, "base64"));
  return Array.from(new Uint16Array(bytes.buffer));
}

describe("a mask is read as Pillow reads it", () => {
  test.each(names.filter((name) => !name.startsWith("refused/")))("%s", async (name) => {
    const mask = await readMask(write(name));
    const fixture = fixtures[name]!;
    const [height, width, channels = 1] = fixture.shape;
    expect([mask.height, mask.width, mask.channels]).toEqual([height, width, channels]);
    expect(Array.from(mask.data)).toEqual(pixelsOf(fixture));
    expect(mask.palette !== undefined).toBe(fixture.mode === "P" || /palette|grey8\.bmp/.test(name));
  });
});

describe("a mask is refused, with the reason,", () => {
  test("where it could be no labels", async () => {
    const reports: string[] = [];
    for (const name of names.filter((name) => name.startsWith("refused/")))
      reports.push(await complaint(() => readMask(write(name)), root));
    put(join(root, "refused/empty.png"), "");
    put(join(root, "refused/text.png"), "no mask at all");
    for (const name of ["empty", "text"])
      reports.push(await complaint(() => readMask(join(root, `refused/${name}.png`)), root));
    expect(reports.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_MASK: a mask is a JPEG
        at: ROOT/refused/jpeg.jpg
        expected: a PNG, TIFF or BMP file
        found: JPEG, which changes numbers at every edge between classes (between 3 and 7 it makes 4, 5 and 6)
        try: write the masks again from their source as PNG; a JPEG renamed or converted stays damaged
      SEGFUSE_DATA_MASK: a mask is compressed with loss
        at: ROOT/refused/jpeg.tif
        expected: a TIFF with LZW, Deflate, PackBits or no compression
        found: JPEG compression, which changes numbers at every edge between classes
        try: write the mask again from its source
      SEGFUSE_DATA_MASK: a mask is compressed in a way that is not read
        at: ROOT/refused/zstd.tif
        expected: a TIFF with LZW, Deflate, PackBits or no compression
        found: Zstandard
        try: gdal_translate -co COMPRESS=DEFLATE, or save the mask as PNG
      SEGFUSE_DATA_MASK: a mask has several pages
        at: ROOT/refused/pages.tif
        expected: one picture in the file
        found: 3 of them
        try: write each page to a file of its own
      SEGFUSE_DATA_MASK: a mask is of another format
        at: ROOT/refused/gif.gif
        expected: a PNG, TIFF or BMP file
        found: GIF
        try: save the masks as PNG
      SEGFUSE_DATA_MASK: a mask is of another format
        at: ROOT/refused/webp.webp
        expected: a PNG, TIFF or BMP file
        found: WebP
        try: save the masks as PNG
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/float.tif
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: 1 channel of 32 bits (floating-point)
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/int32.tif
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: 1 channel of 32 bits (signed)
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/signed16.tif
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: 1 channel of 16 bits (signed)
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask is stored turned or mirrored
        at: ROOT/refused/turned.tif
        expected: orientation 1 (upright)
        found: orientation 6
        try: write the mask as it is to be seen, without the tag
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/cmyk.tif
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: 4 channels of 8 bits (unsigned), of photometric interpretation 5
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/rgb16.png
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: 3 channels of 16 bits
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask does not hold class numbers or colours
        at: ROOT/refused/rgb555.bmp
        expected: one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel
        found: a BMP of 16 bits a pixel, compression 0
        try: save the mask as a PNG of unsigned numbers with 8 or 16 bits
      SEGFUSE_DATA_MASK: a mask is of another format
        at: ROOT/refused/empty.png
        expected: a PNG, TIFF or BMP file
        found: an empty file
        try: save the masks as PNG
      SEGFUSE_DATA_MASK: a mask is of another format
        at: ROOT/refused/text.png
        expected: a PNG, TIFF or BMP file
        found: something else
        try: save the masks as PNG"
    `);
  });

  test("where it is cut short, wherever that is", async () => {
    for (const name of ["palette4-adam7-33x17.png", "grey16-adam7-13x9.png", "palette8-plain-33x17.png"])
      await cutAnywhere(name);
    for (const name of ["palette4-little-13x9.tif", "grey16-big-13x9.tif", "bigtiff8.tif", "tiff_lzw-L.tif"])
      await cutAnywhere(name);
    for (const name of ["palette4-13x9.bmp", "rgb32-13x9.bmp", "rle8.bmp", "rle4.bmp"])
      await cutAnywhere(name);
  });

  test("where a byte of an interlaced PNG is not what was written", async () => {
    const bytes = readFileSync(write("palette2-adam7-13x9.png"));
    for (let k = 16; k < bytes.length; k++) {
      const changed = Uint8Array.from(bytes);
      changed[k]! ^= 1;
      const file = join(root, "changed.png");
      put(file, changed);
      expect(await complaint(() => readMask(file), root)).toContain(
        "SEGFUSE_DATA_MASK: a mask cannot be decoded",
      );
    }
  });
});

/** Every beginning of a file is an error, and never a mask of which a part was made up. */
async function cutAnywhere(name: string): Promise<void> {
  const whole = readFileSync(write(name));
  const file = join(root, `cut-${name}`);
  for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 60)) {
    put(file, whole.subarray(0, length));
    const report = await complaint(() => readMask(file), root).catch((error: unknown) => {
      throw new Error(`${name}, ${length} of ${whole.length} bytes`, { cause: error });
    });
    expect(report).toContain("SEGFUSE_DATA_MASK");
  }
}
