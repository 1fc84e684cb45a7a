import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { type ContextModule, defineHead, Head, type HeadInputs } from "./contracts.ts";
import { Conv2d, convOfConcat, Dropout2d, type NetworkContext, normal } from "../nn/index.ts";
import { dropoutOption, PyramidPooling, pyramidPoolingOptions } from "./pyramid_pooling.ts";

const Options = Type.Object({ ...pyramidPoolingOptions, dropout: dropoutOption });

/** Classifies all fused maps and the pyramid pooling context side by side (paper 3.4; alone it is PSPNet's head). */
export default defineHead({
  type: "ppm",
  paper: "3.4",
  description: "pyramid pooling context; classifies it with all fused maps (PSPNet's head)",
  schema: Options,
  context: (options, levels, context) => new PyramidPooling(options, levels, context),
  create: (options, inputs, context) => new PyramidPoolingHead(options, inputs, context),
});

class PyramidPoolingHead extends Head {
  readonly context: ContextModule | null;
  readonly classifier: Conv2d;
  private readonly dropout: Dropout2d;
  private readonly addsContext: boolean;

  constructor(
    options: Static<typeof Options>,
    inputs: HeadInputs,
    private readonly network: NetworkContext,
  ) {
    super();
    this.context = inputs.context;
    this.addsContext = inputs.context !== null && !inputs.neckUsesContext;
    const maps = [...inputs.fused, ...(this.addsContext ? [inputs.context!.output] : [])];
    this.dropout = new Dropout2d(network, options.dropout);
    this.classifier = new Conv2d({
      kernel: 1,
      in: maps.reduce((sum, map) => sum + map.channels, 0),
      out: inputs.numClasses,
      initialiser: normal(0.01),
    });
  }

  /** classifier(concat(up(X̃_1), …, up(C))) at the finest map's size; the context is not added twice. */
  forward(fused: readonly Tensor4D[], context: Tensor4D | null): Tensor4D {
    const maps = this.addsContext ? [...fused, context!] : fused;
    const [, height, width] = maps[0]!.shape;
    return convOfConcat(this.classifier, maps, [height, width], this.network, this.dropout);
  }
}
