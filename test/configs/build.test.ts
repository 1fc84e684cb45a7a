import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadConfig, loadStudy } from "../../src/config/index.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import { countParameters } from "../../src/runners/network.ts";
import { createRegistry } from "../../src/builtin.ts";

// Every shipped config becomes a network: its parts fit each other. Nothing is computed, so ResNet-101 is free.

const root = fileURLToPath(new URL("../../configs/", import.meta.url));
const registry = createRegistry();
const files = (folder: string) => readdirSync(`${root}${folder}`).map((name) => `${root}${folder}/${name}`);

describe("shipped configs build", () => {
  it.each(["table1", "table2", "table5"].flatMap(files))("%s", async (path) => {
    const { config } = await loadConfig(path, { registry, allowUnsetEnv: true });
    const numClasses = path.includes("table5") ? 150 : 19;
    const segmentor = buildSegmentor(config.model, { numClasses, ignoreIndex: 255 }, registry);
    expect(segmentor.numClasses).toBe(numClasses);
    expect(countParameters(segmentor)).toBeGreaterThan(40e6);
  });

  it.each(["gff", "table1", "table2", "table3", "table5"])("the study %s", async (name) => {
    const { rows } = await loadStudy(`${root}studies/${name}.yaml`, { registry, allowUnsetEnv: true });
    for (const { loaded } of rows) {
      buildSegmentor(loaded.config.model, { numClasses: 19, ignoreIndex: 255 }, registry);
    }
  });

  it.each(["quick", "camvid_quick"])("the study gff under the overlay %s, below 10 M parameters", async (overlay) => {
    const { rows } = await loadStudy(`${root}studies/gff.yaml`, {
      overlays: [`${root}overlays/${overlay}.yaml`],
      registry,
      allowUnsetEnv: true,
    });
    for (const { loaded } of rows) {
      const segmentor = buildSegmentor(loaded.config.model, { numClasses: 11, ignoreIndex: 255 }, registry);
      expect(countParameters(segmentor)).toBeLessThan(10e6);
    }
  });
});
