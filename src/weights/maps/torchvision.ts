import { Type } from "typebox";
import { defineNameMap } from "./contracts.ts";
import { mapOfRules } from "./rules.ts";

const names = [
  // resnet18, 34, 50, 101, 152
  "conv1.weight",
  "bn1.*",
  "layer#.#.conv#.weight",
  "layer#.#.bn#.*",
  "layer#.#.downsample.#.*",
  // mobilenet_v2
  "features.0.#.*",
  "features.#.conv.*",
];

/** torchvision's classification networks: ours are their backbones, without what only the classifier uses. */
export default defineNameMap({
  type: "torchvision",
  description: "torchvision's resnet18 to resnet152 (stem v1) and mobilenet_v2; classifiers are dropped",
  schema: Type.Object({}),
  create: () =>
    mapOfRules({
      pairs: names.map((name) => ({ theirs: name, ours: `backbone.${name}` })),
      onlyTheirs: ["fc.*", "features.18.*", "classifier.*"],
      onlyOurs: ["neck.*", "head.*", "auxiliary_head.*"],
    }),
});
