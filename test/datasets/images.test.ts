import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage, type ReadImageOptions } from "../../src/datasets/image_file.ts";
import type { SampleRemark } from "../../src/datasets/sample_remarks.ts";
import { images, putFile, worst } from "./image_fixture.ts";
import { complaint, put } from "./support.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-images-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What is said of a file; of all others nothing is. */
function expectedRemarks(name: string): SampleRemark[] {
  if (/^(frames|pages)/.test(name)) return ["first_of_many"];
  return /_16/.test(name) ? ["upper_bits"] : [];
}

/** Files of more bands than three: which are meant has to be said. */
function choiceOf(name: string): ReadImageOptions {
  return /^(bands|rgb_and)/.test(name) ? { format: { channels: 3, bits: 8, bands: [1, 2, 3] } } : {};
}

describe("pixels as Pillow reads them", () => {
  // JPEG, WebP and AVIF decoders may round differently; everything else is exact.
  test.each(Object.entries(images.read))("%s", async (name, { file, pixels }) => {
    const image = await readImage(putFile(root, name, file), choiceOf(name));
    expect([image.height, image.width, image.channels]).toEqual(pixels.shape);
    const isLossy = /jpg|jpeg|named_wrongly|avif/.test(name);
    expect(worst(image.data, pixels)).toBeLessThanOrEqual(isLossy ? 2 : 0);
    expect(image.remarks).toEqual(expectedRemarks(name));
  });
});

describe("EXIF orientation", () => {
  test.each(images.turned)("$name: as ImageOps.exif_transpose and cv2.imread read it", async (turned) => {
    const file = putFile(root, turned.name, turned.file);
    const image = await readImage(file);
    expect([image.height, image.width, image.channels]).toEqual(turned.pixels.shape);
    expect(worst(image.data, turned.pixels)).toBeLessThanOrEqual(turned.name.endsWith("jpg") ? 2 : 0);

    const upright = images.turned.find(({ name }) => name === turned.name.replace(/^\d/, "1"))!;
    const stored = await readImage(file, { exif: "ignore" });
    expect([stored.height, stored.width]).toEqual([8, 12]);
    expect(worst(stored.data, upright.pixels)).toBeLessThanOrEqual(2);

    if (turned.orientation === 1) await readImage(file, { exif: "refuse" });
    else
      expect(await complaint(() => readImage(file, { exif: "refuse" }), root)).toBe(
        [
          "SEGFUSE_DATA_ORIENTATION: an image has an EXIF orientation, which is refused",
          `  at: ROOT/${turned.name}`,
          "  expected: orientation 1 (upright) or none",
          `  found: orientation ${turned.orientation}`,
          "  try: exif: apply (turn it) or ignore (as stored) in the data set or predict's --exif; or turn the file itself",
        ].join("\n"),
      );
  });
});

describe("large images", () => {
  test("more pixels than the library's limit of 268 million are read", async () => {
    const [height, width] = [13_500, 20_000];
    // Grey of one bit, black but for its last byte.
    const rows = Buffer.alloc(height * (1 + width / 8));
    rows[rows.length - 1] = 0b00000011;
    const file = join(root, "large.png");
    put(file, png(width, height, 1, deflateSync(rows)));
    const image = await readImage(file);
    expect([image.height, image.width, image.data.length]).toEqual([height, width, 3 * height * width]);
    expect([...image.data.subarray(0, 3), ...image.data.subarray(-9)]).toEqual([
      ...[0, 0, 0, 0, 0, 0],
      ...[255, 255, 255, 255, 255, 255],
    ]);
  });

  test("one that does not fit the memory is refused for that reason", async () => {
    const file = join(root, "huge.png");
    put(file, png(900_000, 900_000, 8, deflateSync(Buffer.alloc(900_001))));
    const text = await complaint(() => readImage(file), root);
    expect(text.replace(/at most .*: /, "at most … GiB: ").replace(/Node v\S+/, "Node vN")).toMatch(
      /^SEGFUSE_DATA_IMAGE: an image is larger than there is room for\n {2}at: ROOT\/huge.png\n {2}expected: at most … GiB: (Node vN holds no more in one piece|no more memory is free)\n {2}found: 900000x900000 pixels \(width x height\): 2263.2 GiB to decode it\n {2}try: cut it into tiles, with its mask$/,
    );
  });
});

/** A grey PNG whose compressed rows are `pixels`. */
function png(width: number, height: number, bits: number, pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bits;
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** PNG's checksum (zlib.crc32 is not in every Node that is supported). */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
