import { describe, expect, it } from "vitest";
import { buildSegmentor } from "../../src/models/build.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";

// Trained values of every row of the paper's tables: 19 classes, output stride 8, every option at its default.
// The numbers are the project's oracle (oracles/parameters.json beside the networks' description, which was
// not made with this code). PSPNet on ResNet-101, 65.6 M, is what the paper's Table 3 prints for it.
const counts = `
  row        backbone             whole   auxiliary    backbone     context       neck  head.rest
  pspnet     resnet50_v1c    46_610_803  48_975_494  23_527_264  23_073_792          0      9_747
  pspnet     resnet101_v1c   65_602_931  67_967_622  42_519_392  23_073_792          0      9_747
  pspnet     mobilenet_v2    13_393_683  13_620_262   1_811_712  11_572_224          0      9_747
  concat     resnet50_v1c    50_550_899  52_915_590  23_527_264  23_073_792  3_935_232     14_611
  concat     resnet101_v1c   69_543_027  71_907_718  42_519_392  23_073_792  3_935_232     14_611
  concat     mobilenet_v2    16_471_571  16_698_150   1_811_712  11_572_224  3_073_024     14_611
  addition   resnet50_v1c    48_781_427  51_146_118  23_527_264  23_073_792  2_165_760     14_611
  addition   resnet101_v1c   67_773_555  70_138_246  42_519_392  23_073_792  2_165_760     14_611
  addition   mobilenet_v2    14_702_099  14_928_678   1_811_712  11_572_224  1_303_552     14_611
  fpn        resnet50_v1c    53_645_427  56_010_118  23_527_264  23_073_792  7_020_032     24_339
  fpn        resnet101_v1c   72_637_555  75_002_246  42_519_392  23_073_792  7_020_032     24_339
  fpn        mobilenet_v2    19_566_099  19_792_678   1_811_712  11_572_224  6_157_824     24_339
  gated_fpn  resnet50_v1c    53_646_712  56_011_403  23_527_264  23_073_792  7_021_317     24_339
  gated_fpn  resnet101_v1c   72_638_840  75_003_531  42_519_392  23_073_792  7_021_317     24_339
  gated_fpn  mobilenet_v2    19_567_384  19_793_963   1_811_712  11_572_224  6_159_109     24_339
  gff        resnet50_v1c    52_339_063  54_703_754  23_527_264  23_073_792  5_708_804     29_203
  gff        resnet101_v1c   71_331_191  73_695_882  42_519_392  23_073_792  5_708_804     29_203
  gff        mobilenet_v2    18_259_735  18_486_314   1_811_712  11_572_224  4_846_596     29_203
  gff_dfp    resnet50_v1c    53_412_727  55_777_418  23_527_264  23_073_792  5_708_804  1_102_867
  gff_dfp    resnet101_v1c   72_404_855  74_769_546  42_519_392  23_073_792  5_708_804  1_102_867
  gff_dfp    mobilenet_v2    19_333_399  19_559_978   1_811_712  11_572_224  4_846_596  1_102_867
`;

const backbones = {
  resnet50_v1c: { type: "resnet", depth: 50 },
  resnet101_v1c: { type: "resnet", depth: 101 },
  mobilenet_v2: { type: "mobilenet_v2" },
};
const rows = {
  pspnet: { neck: "none", head: "ppm" },
  concat: { neck: "concat", head: "ppm" },
  addition: { neck: "addition", head: "ppm" },
  fpn: { neck: "fpn", head: "ppm" },
  gated_fpn: { neck: "gated_fpn", head: "ppm" },
  gff: { neck: "gff", head: "ppm" },
  gff_dfp: { neck: "gff", head: "dfp" },
};

const table = counts
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [row, backbone, ...numbers] = line.trim().split(/ +/);
    const [whole, withAuxiliary, ...parts] = numbers.map((text) => Number(text.replaceAll("_", "")));
    return {
      row: row as keyof typeof rows,
      backbone: backbone as keyof typeof backbones,
      expected: { whole, withAuxiliary, parts },
    };
  });

describe("parameters", () => {
  it("has every row and backbone", () => {
    expect(table).toHaveLength(Object.keys(rows).length * Object.keys(backbones).length);
  });

  it.each(table)("of $row on $backbone are $expected.whole", ({ row, backbone, expected }) => {
    const components = componentsWith();
    const model = resolvedModel(components, {
      backbone: backbones[backbone],
      neck: { type: rows[row].neck },
      head: { type: rows[row].head },
      auxiliary_head: { type: "fcn" },
    });
    const segmentor = buildSegmentor(model, { numClasses: 19, ignoreIndex: 255 }, components);
    const count = (prefix: string) =>
      [...segmentor.namedParameters()]
        .filter(([name, { role }]) => name.startsWith(prefix) && !role.startsWith("running_"))
        .reduce((sum, [, { size }]) => sum + size, 0);
    const context = count("head.context.");
    expect({
      whole: count("") - count("auxiliary_head."),
      withAuxiliary: count(""),
      parts: [count("backbone."), context, count("neck."), count("head.") - context],
    }).toEqual(expected);
  });
});
