import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FileFormat } from "../../src/datasets/bands_option.ts";
import type { SampleRemark } from "../../src/datasets/sample_remarks.ts";
import { readImage } from "../../src/datasets/image_file.ts";
import { Files } from "../config/files.ts";
import { decoded, putFile } from "./image_fixture.ts";

interface Case {
  readonly name: string;
  readonly file: string;
  readonly format: FileFormat;
  /** Null: refused. */
  readonly values: string | null;
  readonly remarks: readonly SampleRemark[];
}

/** What test/fixtures/make_bands.py wrote. */
const cases = JSON.parse(
  readFileSync(new URL("../fixtures/bands.json", import.meta.url), "utf8"),
) as readonly Case[];

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-bands-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const read = ({ name, file, format }: Case) =>
  readImage(putFile(root, name.split(",")[0]!, file), { format });

describe("the files' own values", () => {
  test.each(cases.filter(({ values }) => values !== null))("$name", async (one) => {
    const { channels, data, remarks } = await read(one);
    const { format, values } = one;
    expect([channels, 8 * data.BYTES_PER_ELEMENT]).toEqual([format.channels, format.bits]);
    expect(Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(decoded(values!))).toBe(true);
    expect(remarks).toEqual(one.remarks);
  });
});

describe("what does not fit the network is refused", () => {
  test.each(cases.filter(({ values }) => values === null))("$name", async (one) => {
    await expect(read(one)).rejects.toMatchObject({ code: "SEGFUSE_DATA_BANDS" });
  });
});

test("the page's config loads", async () => {
  const page = readFileSync(new URL("../../docs/data.md", import.meta.url), "utf8");
  const [, config] = /^## Bands and bits$.*?```yaml\n(.*?)```/ms.exec(page)!;
  const head = "  head: {type: ppm}\n";
  const files = new Files({
    "bands.yaml": config!
      .replace("data:", `${head}data:`)
      .replace("backbone: {", "backbone: {type: resnet, "),
  });
  const { model, data } = (await files.load("bands.yaml")).config;
  expect([model.in_channels, model.preprocess.bits, data.dataset.bands]).toEqual([4, 16, [1, 2, 3, 4]]);
});
