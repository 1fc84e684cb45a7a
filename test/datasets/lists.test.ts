import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataset } from "../../src/datasets/loader.ts";
import { complaint, dataConfig, folderOptions, put } from "./support.ts";

// Lists of samples, as people have them. Nothing is decoded here: files are empty.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-lists-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (options = {}) =>
  openDataset(dataConfig({ type: "folder", ...folderOptions, root, splits: "lists", ...options }), "train");

/** Image and mask of each sample, as paths in the root. */
async function samples(list: string | Uint8Array, options = {}): Promise<string[]> {
  put(`${root}/train.txt`, list);
  const dataset = await open(options);
  return Array.from({ length: dataset.length }, (_, i) => {
    const { image, label } = dataset.files(i)!;
    return [image, label].map((path) => path.replace(`${root}/`, "")).join(" ");
  });
}

function files(...names: string[]): void {
  for (const name of names) put(`${root}/${name}`, "");
}

/** Text in another encoding, as the system's iconv writes it. */
const encoded = (text: string, encoding: string) =>
  execFileSync("iconv", ["-f", "UTF-8", "-t", encoding], { input: text });

const pair = "images/s0.png masks/s0.png";

describe("a line", () => {
  const sub = "images/a/b c.jpg masks/a/b c.png";

  it.each([
    ["s0", pair],
    ["s0.png", pair],
    ["./s0.png", pair],
    ["s0.PNG", pair],
    ["  s0\t", pair],
    ["images/s0.png", pair],
    ["./images/s0.png", pair],
    ["images\\s0.png", pair],
    ["masks/s0.png", pair],
    ["/images/s0.png", pair],
    ["ROOT/images/s0.png", pair],
    ["/home/bob/data/images/s0.png", pair],
    ["C:\\Users\\bob\\images\\s0.png", pair],
    ["a/b c", sub],
    ["a/b c.jpg", sub],
    ["images/a/b c.jpg", sub],
    ["a\\b c.jpg", sub],
    ["s0.png s0.png", pair],
    ["s0.png\ts0.png", pair],
    ["s0.png, s0.png", pair],
    ["s0;s0", pair],
    ["images/s0.png|masks/s0.png", pair],
    ["s0 a/b c", "images/s0.png masks/a/b c.png"],
    ["a/b c.jpg a/b c.png", sub],
    ["images/a/b c.jpg masks/a/b c.png", sub],
    ["images/s0.png masks/a/b c.png", "images/s0.png masks/a/b c.png"],
    ["/images/a/b c.jpg /masks/s0.png", "images/a/b c.jpg masks/s0.png"],
    ["/SegNet/CamVid/images/s0.png /SegNet/CamVid/masks/a/b c.png", "images/s0.png masks/a/b c.png"],
    ["more/x.tif more/x_gt.png", "more/x.tif more/x_gt.png"],
    ["ROOT/more/x.tif ROOT/masks/s0.png", "more/x.tif masks/s0.png"],
  ])("%s", async (line, expected) => {
    files(
      "images/s0.png",
      "masks/s0.png",
      "images/a/b c.jpg",
      "masks/a/b c.png",
      "more/x.tif",
      "more/x_gt.png",
    );
    expect(await samples(`${line.replaceAll("ROOT", root)}\n`)).toEqual([expected]);
  });

  it("is relative to its list, where that lies elsewhere", async () => {
    files("images/s0.png", "masks/s0.png");
    put(`${root}/lists/deep/train.txt`, "../../images/s0.png ../../masks/s0.png");
    const dataset = await open({ list: "lists/deep/{split}.txt" });
    expect(dataset.files(0)).toEqual({ image: `${root}/images/s0.png`, label: `${root}/masks/s0.png` });
    expect(dataset.id(0)).toBe("s0");
  });

  it.each([
    "../secret",
    "ROOT/../secret.png",
    "../secret.png s0.png",
    "s0 ../secret.png",
    "/etc/hostname s0",
  ])("names nothing outside of the root: %s", async (line) => {
    files("data/images/s0.png", "data/masks/s0.png", "secret.png");
    put(`${root}/data/train.txt`, line.replaceAll("ROOT", `${root}/data`));
    expect(await complaint(() => open({ root: `${root}/data` }), root)).toContain("SEGFUSE_DATA_FILE");
  });
});

describe("lines of public bug reports", () => {
  it.each([
    // PaddlePaddle/PaddleX#1153, #1528: refused there for the spaces
    [
      "JPEGImages\\weed (272).jpg Annotations\\weed (272).png",
      "JPEGImages/weed (272).jpg Annotations/weed (272).png",
    ],
    // PaddlePaddle/PaddleSeg#407, #729: refused for another separator than the configured one
    ["JPEGImages/1.jpg|Annotations/1.png", "JPEGImages/1.jpg Annotations/1.png"],
    // pjreddie/darknet#1703: absolute paths of another machine, with spaces and dots
    ["/content/fire/JPEGImages/Okefenokee WA_fire.v1.0.jpg", "JPEGImages/Okefenokee WA_fire.v1.0.jpg Annotations/Okefenokee WA_fire.v1.0.png"], // prettier-ignore
    // milesial/Pytorch-UNet#143: 1 must not find 10
    ["1", "JPEGImages/1.jpg Annotations/1.png"],
  ])("%s", async (line, expected) => {
    const stems = ["weed (272)", "1", "10", "11", "Okefenokee WA_fire.v1.0"];
    files(...stems.flatMap((stem) => [`JPEGImages/${stem}.jpg`, `Annotations/${stem}.png`]));
    const folders = { images: "JPEGImages", masks: "Annotations" };
    expect(await samples(`${line}\r\n`, folders)).toEqual([expected]);
  });
});

describe("a list's text", () => {
  const names = ["s0", "grün", "画像", "s1"];
  const expected = names.map((name) => `images/${name}.png masks/${name}.png`);
  beforeEach(() => files(...names.flatMap((name) => [`images/${name}.png`, `masks/${name}.png`])));

  it.each([
    ["\n", "LF"],
    ["\r\n", "CR LF"],
    ["\r", "CR"],
    ["\n\n", "blank lines"],
    ["\u2028", "Unicode's line separator"],
  ])("lines that end in %j (%s)", async (end) => {
    expect(await samples(names.join(end))).toEqual(expected);
    expect(await samples(names.join(end) + end)).toEqual(expected);
  });

  it.each(["UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE"])("in %s", async (encoding) => {
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(await samples(encoded(names.join(end) + end, encoding))).toEqual(expected);
      expect(await samples(encoded(`\ufeff${names.join(end)}`, encoding))).toEqual(expected);
    }
  });

  it("lists with byte order marks, one behind the other", async () => {
    expect(await samples(names.map((name) => `\ufeff${name}\r\n`).join(""))).toEqual(expected);
  });

  it("in an encoding that is neither says so, and where", async () => {
    put(`${root}/train.txt`, encoded("s0\ngrün\n", "ISO-8859-1"));
    const texts = [await complaint(open, root)];
    put(`${root}/train.txt`, Buffer.from("\ufeffs0\n\ud800\n", "utf16le"));
    texts.push(await complaint(open, root));
    rmSync(`${root}/train.txt`);
    put(`${root}/train.txt/x`, "");
    texts.push(await complaint(open, root));
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_SPLIT: a list is neither UTF-8 nor UTF-16
        at: ROOT/train.txt:2
        found: gr\\xFCn
        try: save it as UTF-8 (iconv -f latin1 -t utf8, in the encoding that it has)
      SEGFUSE_DATA_SPLIT: a list is neither UTF-8 nor UTF-16
        at: ROOT/train.txt
        found: broken utf-16le
        try: save it as UTF-8 (iconv -f latin1 -t utf8, in the encoding that it has)
      SEGFUSE_DATA_SPLIT: the list of a split cannot be read
        at: ROOT/train.txt
        found: EISDIR: illegal operation on a directory, read"
    `);
  });
});

describe("names in two Unicode normal forms", () => {
  const [nfc, nfd] = ["gr\u00fcn", "gru\u0308n"];

  it("are one name: in folders, lists, folders' own names, and the config", async () => {
    files(`bilder ${nfd}/${nfd}.jpg`, `masken ${nfc}/${nfc}.png`, `mehr ${nfd}/${nfd}.jpg`);
    const folders = { images: `bilder ${nfc}`, masks: `masken ${nfd}` };
    const one = `bilder ${nfd}/${nfd}.jpg masken ${nfc}/${nfc}.png`;
    for (const name of [nfc, nfd, `${nfc}.jpg`, `bilder ${nfc}/${nfd}.jpg`])
      expect(await samples(name, folders)).toEqual([one]);
    expect(await samples(`mehr ${nfc}/${nfc}.jpg ${nfd}`, folders)).toEqual([
      `mehr ${nfd}/${nfd}.jpg masken ${nfc}/${nfc}.png`,
    ]);
    expect((await open(folders)).id(0)).toBe(`mehr ${nfc}/${nfc}`);
  });

  it("pair without lists, and twice in a folder is told", async () => {
    files(`images/train/${nfd}.jpg`, `masks/train/${nfc}.png`);
    const dataset = await open({ splits: "folders" });
    expect([dataset.length, dataset.id(0)]).toEqual([1, nfc]);
    files(`images/train/${nfc}.jpg`);
    const text = await complaint(() => open({ splits: "folders" }), root);
    expect(text).toContain("SEGFUSE_DATA_FILE: two files have the same name in two Unicode normal forms");
  });
});

describe("a sample that is listed twice", () => {
  beforeEach(() => files("images/s0.png", "masks/s0.png", "images/s1.png", "masks/s1.png"));

  it("is an error, however it is spelt", async () => {
    put(`${root}/train.txt`, "s0\ns1\ns0\n");
    const texts = [await complaint(open, root)];
    put(`${root}/train.txt`, "s0\n\nimages/s0.png\n");
    texts.push(await complaint(open, root));
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_SPLIT: a list names a sample twice
        at: ROOT/train.txt:3
        found: s0, as in line 1
        try: take one of them out: it would count twice in training and in metrics; oversample: true, where that is meant
      SEGFUSE_DATA_SPLIT: a list names a sample twice
        at: ROOT/train.txt:3
        found: images/s0.png, the same as s0 in line 1
        try: take one of them out: it would count twice in training and in metrics; oversample: true, where that is meant"
    `);
  });

  it("is oversampling where the config says so", async () => {
    const expected = [pair, "images/s1.png masks/s1.png", pair];
    expect(await samples("s0\ns1\ns0.png", { oversample: true })).toEqual(expected);
  });
});

it("what a list names and is not there", async () => {
  files("images/s0.png", "masks/s0.png", "images/s1.png", "images/S2.png", "masks/S2.png", "photos/x.jpg");
  const told = async (list: string) => {
    put(`${root}/train.txt`, list);
    return complaint(open, root);
  };
  const texts = [
    await told("s0\ns1\n"),
    await told("s2.png\n"),
    await told("s0.png s9.png\n"),
    await told("photos/x.jpg\ns0\n"),
    await told("photos/y.jpg s0.png\n"),
    await told("s0 1\n"),
    await told("/data/s0.png /data/s9.png\n"),
  ];
  expect(texts.join("\n")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_FILE: a listed sample has no mask
      at: ROOT/train.txt (s1)
      expected: a file for "s1" in ROOT/masks
      found: none
    SEGFUSE_DATA_FILE: a listed sample has no image
      at: ROOT/train.txt (s2.png)
      expected: a file for "s2.png" in ROOT/images
      found: none; there is "S2.png"
    SEGFUSE_DATA_FILE: a listed sample has no mask
      at: ROOT/train.txt (s0.png s9.png)
      expected: a file for "s9.png" in ROOT/masks
      found: none
    SEGFUSE_DATA_FILE: a listed sample has no mask
      at: ROOT/train.txt (photos/x.jpg)
      expected: a file for "photos/x.jpg" in ROOT/masks
      found: none
    SEGFUSE_DATA_FILE: a listed sample has no image
      at: ROOT/train.txt (photos/y.jpg s0.png)
      expected: a file for "photos/y.jpg" in ROOT/images
      found: none
    SEGFUSE_DATA_FILE: a listed sample has no mask
      at: ROOT/train.txt (s0 1)
      expected: a file for "1" in ROOT/masks
      found: none
    SEGFUSE_DATA_FILE: a listed sample has no image
      at: ROOT/train.txt (/data/s0.png /data/s9.png)
      expected: a file for "/data/s0.png /data/s9.png" in ROOT/images
      found: none"
  `);
});
