import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "fast-png";
import { expect, it } from "vitest";
import { openDataset } from "../../src/datasets/loader.ts";
import { SegfuseError } from "../../src/errors.ts";
import { Files, small } from "./files.ts";

// Names become folders and files: nothing that a config, a study or a data set says leads out of where a run writes.

const evil = [
  "../up",
  "/etc/x",
  "..",
  ".",
  ".hidden",
  "a/b",
  "a\\b",
  "a\0b",
  "",
  " ",
  "a\nb",
  "x".repeat(300),
  "ä",
  "~",
];

async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return "loaded";
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    return error.code;
  }
}

it.each(evil)("a config, a row or an overlay's row of the name %j", async (name) => {
  const quoted = JSON.stringify(name);
  const files = new Files({
    "small.yaml": small,
    "config.yaml": `_base_: small.yaml\nname: ${quoted}\n`,
    "study.yaml": `title: T\nrows: [{name: ${quoted}, config: small.yaml}]\n`,
    "good.yaml": "title: T\nrows: [{name: a, config: small.yaml}]\n",
    "overlay.yaml": `extra_rows: [{name: ${quoted}, config: small.yaml}]\n`,
  });
  const refused = /^SEGFUSE_CONFIG_(PATTERN|LENGTH)$/;
  expect(await codeOf(files.load("config.yaml"))).toMatch(refused);
  expect(await codeOf(files.load("small.yaml", { set: [`name=${quoted}`] }))).toMatch(refused);
  expect(await codeOf(files.study("study.yaml"))).toMatch(refused);
  expect(await codeOf(files.study("good.yaml", { overlays: [files.path("overlay.yaml")] }))).toMatch(refused);
  expect(await codeOf(files.study("good.yaml", { rows: [name] }))).toBe("SEGFUSE_STUDY_UNKNOWN_ROW");
});

it.each(["..config.yaml", "ä.yaml", "$(touch x).yaml", "-rf.yaml", `${"n".repeat(240)}.yaml`])(
  "a file called %s names its run harmlessly",
  async (name) => {
    const files = new Files({ [name]: small });
    const { config } = await files.load(name);
    expect(config.name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/);
  },
);

it("a data set's list names files of its own folders alone", async () => {
  const files = new Files({ "secret.png": "" });
  const png = encode({ width: 2, height: 2, data: new Uint8Array(4), channels: 1 });
  const root = files.path("data");
  for (const folder of ["images", "masks"]) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, "a.png"), png);
  }
  writeFileSync(join(root, "train.txt"), "a\n../../secret\n");
  files.write("config.yaml", `${small}  crop_size: [96, 96]\n`);
  const { config } = await files.load("config.yaml", { set: ["data.dataset.splits=lists"] });
  expect(await codeOf(openDataset(config, "train"))).toBe("SEGFUSE_DATA_FILE");
});

it("class names are texts of tables and pages, never names of files", async () => {
  const files = new Files({ "small.yaml": small });
  const set = ['data.dataset.classes=["../../road", "/etc/passwd"]'];
  const { config } = await files.load("small.yaml", { set });
  expect(config.data.dataset["classes"]).toEqual(["../../road", "/etc/passwd"]);
  expect(readdirSync(files.root)).toEqual(["small.yaml"]);
});

it("links and devices are no config files", async () => {
  const files = new Files({ "small.yaml": small });
  symlinkSync("/dev/zero", files.path("zero.yaml"));
  expect(await codeOf(files.load("zero.yaml"))).toBe("SEGFUSE_CONFIG_FILE");
});
