import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/loader.ts";
import { renderStreet } from "../../src/datasets/streets/render.ts";
import { complaint, dataConfig } from "./support.ts";

let cache: string;
const before = process.env.SEGFUSE_CACHE;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), "segfuse-streets-"));
  process.env.SEGFUSE_CACHE = cache;
});
afterAll(() => {
  if (before === undefined) delete process.env.SEGFUSE_CACHE;
  else process.env.SEGFUSE_CACHE = before;
  rmSync(cache, { recursive: true });
});

const options = {
  type: "synthetic_streets",
  train_size: 30,
  val_size: 5,
  test_size: 5,
  height: 64,
  width: 128,
  seed: 1,
};
const open = (split: "train" | "val", cache: boolean) =>
  openDataset(dataConfig({ ...options, cache }), split);

test("labels are classes without blends, and 30 pictures show every class", async () => {
  const dataset = await open("train", false);
  const counts = new Array<number>(256).fill(0);
  for (let i = 0; i < dataset.length; i++) for (const k of (await dataset.load(i)).label.data) counts[k]!++;
  expect(dataset.info.classes.length).toBe(11);
  expect(counts.slice(0, 11).every((count) => count > 30)).toBe(true);
  expect(counts.slice(11).every((count) => count === 0)).toBe(true);
});

test("the same keys draw the same street; splits, seeds and numbers other ones", async () => {
  const draw = async (...keys: (string | number)[]) =>
    Buffer.from((await renderStreet(64, 128, keys)).image.data);
  const first = await draw(1, "streets", "train", 0);
  expect(first.equals(await draw(1, "streets", "train", 0))).toBe(true);
  for (const other of [
    [2, "streets", "train", 0],
    [1, "streets", "val", 0],
    [1, "streets", "train", 1],
  ])
    expect(first.equals(await draw(...other))).toBe(false);
});

test("the cache gives what was drawn, heals a broken file and hands out copies", async () => {
  const drawn = await (await open("val", false)).load(2);
  const cached = await open("val", true);
  const first = await cached.load(2);
  expect(first).toEqual(drawn);
  first.image.data.fill(0);
  first.label.data.fill(0);
  expect(await cached.load(2)).toEqual(drawn);
  const [file] = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(await (await open("val", true)).load(2)).toEqual(drawn);
  truncateSync(join(file!.parentPath, file!.name), 100);
  expect(await (await open("val", true)).load(2)).toEqual(drawn);
});

test("an unknown split is named with the valid ones", async () => {
  const config = dataConfig({ ...options, cache: false }, { val: { split: "valid", transforms: [] } });
  expect(await complaint(() => openDataset(config, "val"), "-")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_SPLIT: synthetic_streets has no split "valid"
      expected: one of train, val, test
      found: valid"
  `);
});
