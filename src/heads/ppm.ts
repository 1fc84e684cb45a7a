import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { SegfuseError } from "../errors.ts";
import { contextOption } from "../contexts/contracts.ts";
import { defineHead, Head, type HeadInputs, type HeadTensors } from "./contracts.ts";
import { Conv2d, convOfConcat, Dropout2d, type NetworkContext, normal } from "../nn/index.ts";
import { dropoutOption } from "./options.ts";

const Options = Type.Object({ context: contextOption(), dropout: dropoutOption });

/** Classifies all fused maps and the context side by side (paper 3.4; alone it is PSPNet's head). */
export default defineHead({
  type: "ppm",
  paper: "3.4",
  description: "classifies all fused maps and the context side by side (with pyramid pooling PSPNet's head)",
  schema: Options,
  moved: { channels: "context", bins: "context" },
  create: (options, inputs, context) => new SideBySide(options, inputs, context),
});

class SideBySide extends Head {
  readonly classifier: Conv2d;
  private readonly dropout: Dropout2d;

  constructor(
    options: Static<typeof Options>,
    { fused, context, numClasses }: HeadInputs,
    private readonly network: NetworkContext,
  ) {
    super();
    const maps = context === null ? fused : [...fused, context];
    if (maps.length === 0) throw nothingToSee();
    this.dropout = new Dropout2d(network, options.dropout);
    this.classifier = new Conv2d({
      kernel: 1,
      in: maps.reduce((sum, map) => sum + map.channels, 0),
      out: numClasses,
      initialiser: normal(0.01),
    });
  }

  /** classifier(concat(up(X̃_1), …, up(C))) at the finest map's size. */
  forward({ fused, context }: HeadTensors): Tensor4D {
    const maps = context === null ? fused : [...fused, context];
    const [, height, width] = maps[0]!.shape;
    return convOfConcat(this.classifier, maps, [height, width], this.network, this.dropout);
  }
}

function nothingToSee(): SegfuseError {
  return new SegfuseError("SEGFUSE_COMPONENT_OPTIONS", "the head 'ppm' has nothing to classify", {
    where: "model.head.context",
    expected: "a context, or a neck that fuses maps",
    found: "the context none and the neck none",
  });
}
