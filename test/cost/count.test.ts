import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { costOf, type Cost, type CostOptions } from "../../src/cost/index.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import { fixturePath } from "../helpers/fixtures.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";

const components = componentsWith();
type Model = Parameters<typeof resolvedModel>[1];

function cost(model: Model, numClasses: number, options: CostOptions): Cost {
  const resolved = resolvedModel(components, model);
  return costOf(buildSegmentor(resolved, { numClasses, ignoreIndex: 255 }, components), options);
}

interface Counts {
  parameters: number;
  macs: number;
}
interface Oracle {
  rows: Record<
    string,
    Record<string, Counts & { parameters_with_auxiliary_head: number; parts: Record<string, Counts> }>
  >;
}

interface CountedCase extends Pick<Cost, "parameters" | "macs"> {
  model: Model;
  num_classes: number;
  size: [number, number];
}

// Counts that were made without this code, and that the paper's Table 3 confirms (PSPNet: 65.6 M).
const oracle = JSON.parse(readFileSync(fixturePath("oracles_parameters.json"), "utf8")) as Oracle;
const backbones: Record<string, Model["backbone"]> = {
  resnet50_v1c: { type: "resnet", depth: 50 },
  resnet101_v1c: { type: "resnet", depth: 101 },
  mobilenet_v2: { type: "mobilenet_v2" },
};
const cases = Object.entries(oracle.rows).flatMap(([row, byBackbone]) =>
  Object.entries(byBackbone).map(([backbone, expected]) => ({ row, backbone, expected })),
);

describe("cost", () => {
  it("has every row and backbone", () => {
    expect(cases).toHaveLength(21);
  });

  it.each(cases)("of $row on $backbone is $expected.parameters, $expected.macs", (one) => {
    const { row, backbone, expected } = one;
    const neck = { pspnet: "none", gff_dfp: "gff" }[row] ?? row;
    const { parameters, macs } = cost(
      {
        backbone: backbones[backbone]!,
        neck: { type: neck },
        head: { type: row.endsWith("_dfp") ? "dfp" : "ppm" },
        auxiliary_head: { type: "fcn" },
      },
      19,
      { height: 512, width: 512, convention: "mac" },
    );
    const counts = (part: keyof typeof macs) => ({ parameters: parameters[part], macs: macs[part] });
    expect({
      parameters: parameters.total,
      macs: macs.total,
      parameters_with_auxiliary_head: parameters.total + parameters.auxiliary_head,
      parts: {
        backbone: counts("backbone"),
        "head.context": counts("head.context"),
        neck: counts("neck"),
        "head.rest": counts("head"),
      },
    }).toEqual(expected);
  });

  // Other options, odd and non-square sizes, counted by PyTorch's hooks (test/fixtures/make_cost.py).
  const counted = JSON.parse(readFileSync(fixturePath("cost.json"), "utf8")) as CountedCase[];

  it.each(counted.map((one, i) => ({ i, ...one })))(
    "of $model.neck.type on $model.backbone.type at $size is PyTorch's (case $i)",
    ({ model, num_classes, size: [height, width], parameters, macs }) => {
      const own = cost(model, num_classes, { height, width, convention: "mac" });
      expect({ parameters: own.parameters, macs: own.macs }).toEqual({ parameters, macs });
    },
  );

  const pspnet: Model = {
    backbone: { type: "resnet", depth: 50 },
    neck: { type: "none" },
    head: { type: "ppm" },
    auxiliary_head: { type: "fcn" },
  };

  it("in mmsegmentation's convention is the number that its documentation prints", () => {
    // PSPNet-R50-D8, 2048×1024, without the auxiliary head.
    const { macs } = cost(pspnet, 19, { height: 1024, width: 2048, convention: "mmseg" });
    expect((macs.total / 1e9).toFixed(2)).toBe("1429.68");
  });

  it("in 2mac is twice that in mac, part by part", () => {
    const size = { height: 65, width: 97 };
    const mac = cost(pspnet, 19, { ...size, convention: "mac" });
    const twice = cost(pspnet, 19, { ...size, convention: "2mac" });
    expect(twice.macs).toEqual(
      Object.fromEntries(Object.entries(mac.macs).map(([part, count]) => [part, 2 * count])),
    );
    expect({ ...twice, convention: "mac", macs: mac.macs }).toEqual(mac);
  });
});
