import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadConfig, loadStudy } from "../../src/config/index.ts";
import { createRegistry } from "../../src/builtin.ts";

const root = fileURLToPath(new URL("../../configs/", import.meta.url));
const env = {
  SEGFUSE_CITYSCAPES: "/data/cityscapes",
  SEGFUSE_CAMVID: "/data/camvid",
  SEGFUSE_ADE20K: "/data/ade20k",
  SEGFUSE_WEIGHTS: "/data/weights",
};
const registry = createRegistry();
const inFolder = (folder: string) => readdirSync(`${root}${folder}`).map((name) => `${root}${folder}/${name}`);
const configs = ["table1", "table2", "table5"].flatMap(inFolder);

describe("shipped configs", () => {
  it.each(configs.map((path) => [path.slice(root.length), path]))("%s loads", async (name, path) => {
    const { config } = await loadConfig(path, { env, registry });
    expect(config.name).toBe(name.replace("/", "_").replace(".yaml", ""));
    const ade20k = name.startsWith("table5");
    // Paper 4.1.
    expect(config.data).toMatchObject(ade20k ? { crop_size: [512, 512], batch_size: 16 } : { crop_size: [864, 864], batch_size: 8 });
    expect(config.schedule).toMatchObject({ type: "poly", power: 0.9, iterations: ade20k ? 150_000 : 100_000 });
    expect(config.optimizer).toMatchObject({ type: "sgd", lr: 1e-3, weight_decay: 1e-4, momentum: 0.9 });
    expect(config.evaluation).toMatchObject({ mode: "slide", stride: ade20k ? [341, 341] : [576, 576] });
    expect(config.data.dataset["classes"] ?? Array(19)).toHaveLength(ade20k ? 150 : 19);
  });

  it("of Tables 1 and 2 name the row's method", async () => {
    const methods = await Promise.all(
      configs.slice(0, 8).map(async (path) => {
        const { model, name } = (await loadConfig(path, { env, registry })).config;
        return [name, model.neck.type, model.head.type];
      }),
    );
    expect(methods).toEqual([
      ["table1_addition", "addition", "ppm"],
      ["table1_concat", "concat", "ppm"],
      ["table1_fpn", "fpn", "ppm"],
      ["table1_gated_fpn", "gated_fpn", "ppm"],
      ["table1_gff", "gff", "ppm"],
      ["table1_pspnet", "none", "ppm"],
      ["table2_gff_dfp", "gff", "dfp"],
      ["table2_gff_dfp_ms", "gff", "dfp"],
    ]);
  });

  it.each(inFolder("studies").map((path) => [path.slice(root.length), path]))("%s loads", async (_name, path) => {
    const study = await loadStudy(path, { env, registry });
    expect(study.rows.every((row) => row.paper !== null)).toBe(true);
    expect(study.rows.filter((row) => row.name !== study.baseline).length).toBeGreaterThan(0);
  });

  it("print the paper's Tables 1 and 2", async () => {
    const { rows } = await loadStudy(`${root}studies/gff.yaml`, { env, registry });
    expect(rows.map((row) => [row.name, row.paper?.["mIoU"], row.initFrom ?? row.weightsFrom])).toEqual([
      ["pspnet", 78.6, null],
      ["concat", 78.8, "pspnet"],
      ["addition", 78.7, "pspnet"],
      ["fpn", 79.3, "pspnet"],
      ["gated_fpn", 79.4, "pspnet"],
      ["gff", 80.4, "pspnet"],
      ["gff_dfp", 81.2, "pspnet"],
      ["gff_dfp_ms", 81.8, "gff_dfp"],
    ]);
  });

  it.each(inFolder("overlays").map((path) => [path.slice(root.length), path]))("%s fits the study", async (_name, path) => {
    const study = await loadStudy(`${root}studies/gff.yaml`, { env, registry, overlays: [path] });
    expect(study.rows.length).toBeGreaterThanOrEqual(8);
    expect(new Set(study.rows.map((row) => row.loaded.config.data.dataset.type)).size).toBe(1);
    expect(study.rows.every((row) => row.loaded.config.schedule.iterations < 2000)).toBe(true);
  });
});
