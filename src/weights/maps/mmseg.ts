import { Type } from "typebox";
import { defineNameMap } from "./contracts.ts";
import { mapOfRules } from "./rules.ts";

const same = [
  // ResNet, and the deep stem of ResNetV1c
  "backbone.stem.#.*",
  "backbone.conv1.weight",
  "backbone.bn1.*",
  "backbone.layer#.#.conv#.weight",
  "backbone.layer#.#.bn#.*",
  "backbone.layer#.#.downsample.#.*",
  // FCNHead; several heads are numbered
  "auxiliary_head.convs.#.*",
  "auxiliary_head.#.convs.#.*",
];

/** mmsegmentation's PSPNet: an EncoderDecoder of ResNet or ResNetV1c, PSPHead and auxiliary FCNHeads. */
export default defineNameMap({
  type: "mmseg",
  description: "mmsegmentation's PSPNet with ResNet or ResNetV1c, auxiliary FCN heads included",
  schema: Type.Object({}),
  create: () =>
    mapOfRules({
      pairs: [
        ...same.map((name) => ({ theirs: name, ours: name })),
        { theirs: "decode_head.psp_modules.#.1.*", ours: "head.context.stages.#.*" },
        { theirs: "decode_head.bottleneck.*", ours: "head.context.bottleneck.*" },
        { theirs: "decode_head.conv_seg.*", ours: "head.classifier.*" },
        { theirs: "auxiliary_head.conv_seg.*", ours: "auxiliary_head.classifier.*" },
        { theirs: "auxiliary_head.#.conv_seg.*", ours: "auxiliary_head.#.classifier.*" },
      ],
    }),
});
