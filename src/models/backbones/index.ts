import type { BackboneRecord } from "./contracts.ts";
import mobilenetV2 from "./mobilenet_v2.ts";
import resnet from "./resnet.ts";

/** The backbones that come with segfuse. */
export const backbones: readonly BackboneRecord[] = [resnet, mobilenetV2];
