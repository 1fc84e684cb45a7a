import { expect, it } from "vitest";
import { pathInReport, withoutMachine } from "../../src/reports/paths.ts";

it.each([
  ["/runs/gff/checkpoints/iter_9/model.safetensors", "/runs/gff", "checkpoints/iter_9/model.safetensors"],
  ["/runs/gff/config.yaml", "/runs/gff/", "config.yaml"],
  // a row's weights, from the study's folder
  [
    "/runs/s/gff/seed_0/checkpoints/iter_9/ema.safetensors",
    "/runs/s",
    "gff/seed_0/checkpoints/iter_9/ema.safetensors",
  ],
  // elsewhere: from its own work folder
  ["/other/gff/checkpoints/iter_9/model.safetensors", "/runs/gff", "checkpoints/iter_9/model.safetensors"],
  ["/runs/gff_2/checkpoints/iter_9", "/runs/gff", "checkpoints/iter_9"],
  ["/runs/gff/checkpoints/iter_9/model.safetensors", null, "checkpoints/iter_9/model.safetensors"],
  ["/home/me/gff.yaml", "/runs/gff", "gff.yaml"],
  ["../weights/gff.pth", null, "gff.pth"],
  ["/runs/gff/..hidden.yaml", "/runs/gff", "..hidden.yaml"],
  ["C:\\Users\\me\\gff.yaml", null, "gff.yaml"],
])("%s, work folder %s: %s", (path, workDir, expected) => {
  expect(pathInReport(path, workDir)).toBe(expected);
});

it("names that are no machine's paths stay", () => {
  expect(["aachen/aachen_000000", "configs/gff.yaml", "0001"].map(withoutMachine)).toEqual([
    "aachen/aachen_000000",
    "configs/gff.yaml",
    "0001",
  ]);
  expect(["/data/me/0001.png", "D:\\data\\0001.png"].map(withoutMachine)).toEqual(["0001.png", "0001.png"]);
});
