import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../src/datasets/image_file.ts";
import { program } from "../helpers/built.ts";
import { decoded, images, putFile } from "./image_fixture.ts";
import { complaint, put } from "./support.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-failures-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const told = (name: string) => complaint(() => readImage(join(root, name)), root);

const fetchAgain = "try: fetch the file again or take it out of the split";

describe("files that are really cut or broken are to be fetched again", () => {
  test.each(Object.entries(images.whole))("%s, cut short", async (ending, file) => {
    const whole = decoded(file);
    const texts: string[] = [];
    for (const share of [0.95, 0.6, 0.3]) {
      const name = `cut_${share}.${ending}`;
      put(join(root, name), whole.subarray(0, Math.floor(share * whole.length)));
      texts.push(await told(name));
    }
    for (const text of texts) {
      expect(text).toMatch(/^SEGFUSE_DATA_IMAGE: an image is cut short\n/);
      expect(text).toContain(fetchAgain);
    }
  });

  test("damaged in the middle", async () => {
    const file = decoded(images.whole["png"]!);
    file.fill(0xaa, file.indexOf("IDAT") + 20, file.indexOf("IDAT") + 60);
    put(join(root, "damaged.png"), file);
    expect(await told("damaged.png")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_IMAGE: an image is damaged
        at: ROOT/damaged.png
        expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
        found: vipspng: libpng read error
        try: fetch the file again or take it out of the split"
    `);
  });

  test("of no bytes, or of zeros", async () => {
    put(join(root, "empty.jpg"), "");
    put(join(root, "zeros.jpg"), new Uint8Array(5000));
    expect([await told("empty.jpg"), await told("zeros.jpg")].join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_IMAGE: an image is empty
        at: ROOT/empty.jpg
        expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
        found: a file of 0 bytes
        try: fetch the file again or take it out of the split
      SEGFUSE_DATA_IMAGE: an image is empty
        at: ROOT/zeros.jpg
        expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
        found: 5000 bytes, the first 512 of them 0
        try: fetch the file again or take it out of the split"
    `);
  });
});

test("what is no image is told by what it is", async () => {
  put(join(root, "page.jpg"), "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>");
  put(join(root, "answer.jpg"), '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>');
  put(join(root, "quota.jpg"), '{"error": "quota exceeded"}');
  put(join(root, "lfs.png"), "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
  put(join(root, "program.png"), Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 9, 0));
  const texts = ["page.jpg", "answer.jpg", "quota.jpg", "lfs.png", "program.png"].map(told);
  const text = (await Promise.all(texts)).join("\n");
  expect(text).not.toContain(fetchAgain);
  expect(text).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_IMAGE: a file under an image's name is no image
      at: ROOT/page.jpg
      expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
      found: a web page or an answer of a server: "<!DOCTYPE html>\\n<html><head><title>404 Not Found</title></he"
      try: download the image itself: a login, an error or a preview came in its place
    SEGFUSE_DATA_IMAGE: a file under an image's name is no image
      at: ROOT/answer.jpg
      expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
      found: a web page or an answer of a server: "<?xml version=\\"1.0\\"?><Error><Code>AccessDenied</Code></Error"
      try: download the image itself: a login, an error or a preview came in its place
    SEGFUSE_DATA_IMAGE: a file under an image's name is no image
      at: ROOT/quota.jpg
      expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
      found: a text: "{\\"error\\": \\"quota exceeded\\"}"
      try: put the image there, or take it out of the split
    SEGFUSE_DATA_IMAGE: a file under an image's name is no image
      at: ROOT/lfs.png
      expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
      found: a pointer of Git LFS, without the file that it points to
      try: run git lfs pull in the data's repository
    SEGFUSE_DATA_IMAGE: a file under an image's name is no image
      at: ROOT/program.png
      expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
      found: a file that begins with the bytes 7f 45 4c 46 02 01 01 00
      try: convert it to PNG, or take it out of the split"
  `);
});

test("formats and codings that are not read are told as such, and are in order", async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>';
  put(join(root, "drawing.png"), svg);
  for (const [name, file] of Object.entries(images.refused)) putFile(root, name, file);
  const texts = [await told("drawing.png")];
  for (const name of Object.keys(images.refused)) texts.push(await told(name));
  const text = texts.join("\n");
  expect(text).not.toContain(fetchAgain);
  expect(text).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_IMAGE: an image is in a format that is not read: SVG
      at: ROOT/drawing.png
      expected: JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending
      try: convert it to PNG, under the same name before the ending
    SEGFUSE_DATA_IMAGE: an image's values have no range that is known
      at: ROOT/float.tif
      expected: 8 or 16 bits a channel, without a sign
      found: values of type float
      try: store them as 0..255 or 0..65535: which value is black and which is white is not in the file
    SEGFUSE_DATA_IMAGE: a TIFF image is coded in a way that is not read
      at: ROOT/double.tif
      expected: 8 or 16 bits a channel in a common compression
      found: tiff2vips: samples out of range
      try: the file may be in order: store it so, or as PNG
    SEGFUSE_DATA_IMAGE: an image's values have no range that is known
      at: ROOT/signed.tif
      expected: 8 or 16 bits a channel, without a sign
      found: values of type short
      try: store them as 0..255 or 0..65535: which value is black and which is white is not in the file
    SEGFUSE_DATA_IMAGE: an image's values have no range that is known
      at: ROOT/thirty_two.tif
      expected: 8 or 16 bits a channel, without a sign
      found: values of type uint
      try: store them as 0..255 or 0..65535: which value is black and which is white is not in the file
    SEGFUSE_DATA_IMAGE: a TIFF stores grey and opacity one after the other
      at: ROOT/grey_alpha_separate.tif
      expected: bands that are interleaved (PlanarConfiguration 1)
      found: PlanarConfiguration 2, which libvips reads wrong for two bands
      try: store them interleaved: gdal_translate -co INTERLEAVE=PIXEL, or as PNG
    SEGFUSE_DATA_IMAGE: a TIFF image is coded in a way that is not read
      at: ROOT/zstd.tif
      expected: 8 or 16 bits a channel in a common compression
      found: tiff2vips: ZSTD compression support is not configured
      try: the file may be in order: store it so, or as PNG
    SEGFUSE_DATA_IMAGE: a TIFF image is coded in a way that is not read
      at: ROOT/jpeg2000.tif
      expected: 8 or 16 bits a channel in a common compression
      found: tiff2vips: Compression scheme 34712 strip decoding is not implemented
      try: the file may be in order: store it so, or as PNG
    SEGFUSE_DATA_IMAGE: a TIFF image is coded in a way that is not read
      at: ROOT/lab.tif
      expected: 8 or 16 bits a channel in a common compression
      found: image: bad labq format
      try: the file may be in order: store it so, or as PNG
    SEGFUSE_DATA_IMAGE: a JPEG image is coded in a way that is not read
      at: ROOT/twelve_bits.jpg
      expected: 8 or 16 bits a channel in a common compression
      found: VipsJpeg: Unsupported JPEG data precision 12
      try: the file may be in order: store it so, or as PNG
    SEGFUSE_DATA_IMAGE: an image is in a format that is not read: BMP
      at: ROOT/bitmap.bmp
      expected: JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending
      try: convert it to PNG, under the same name before the ending
    SEGFUSE_DATA_IMAGE: an image is in a format that is not read: JPEG 2000
      at: ROOT/jpeg2000.jp2
      expected: JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending
      try: convert it to PNG, under the same name before the ending
    SEGFUSE_DATA_IMAGE: an image is in a format that is not read: PNM
      at: ROOT/grey.pgm
      expected: JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending
      try: convert it to PNG, under the same name before the ending
    SEGFUSE_DATA_IMAGE: an image is in a format that is not read: HEIC
      at: ROOT/photo.heic
      expected: JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending
      try: convert it to PNG, under the same name before the ending"
  `);
});

test("what the operating system refuses is told in its words", async () => {
  mkdirSync(join(root, "folder.jpg"));
  symlinkSync("nowhere.jpg", join(root, "broken_link.jpg"));
  symlinkSync("loop.jpg", join(root, "loop.jpg"));
  const texts = await Promise.all(["none.jpg", "folder.jpg", "broken_link.jpg", "loop.jpg"].map(told));
  expect(texts.join("\n")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_FILE: an image is missing
      at: ROOT/none.jpg
    SEGFUSE_DATA_FILE: a folder has an image's name
      at: ROOT/folder.jpg
      expected: an image file
      found: a folder
    SEGFUSE_DATA_FILE: an image is missing
      at: ROOT/broken_link.jpg
      found: a link to nowhere.jpg, which does not exist
    SEGFUSE_DATA_FILE: an image cannot be opened
      at: ROOT/loop.jpg
      found: a link that leads to itself (ELOOP)
      try: put the file in the link's place"
  `);
});

test("a file that may not be read", () => {
  const file = putFile(root, "secret.jpg", images.whole["jpg"]!);
  chmodSync(file, 0);
  const [node, module] = program("src/datasets/image_file.ts");
  const code = `
    import { readImage } from ${JSON.stringify(module)};
    if (process.getuid() === 0) process.setuid(65534);
    readImage(process.argv[1]).catch((error) => process.stdout.write(error.report()));
  `;
  chmodSync(root, 0o755);
  const text = execFileSync(node, ["--input-type=module", "-e", code, file], { encoding: "utf8" });
  expect(text.replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_FILE: an image cannot be opened
      at: ROOT/secret.jpg
      found: no permission to read it (EACCES)
      try: give this user the right to read the file and to enter its folders"
  `);
});
