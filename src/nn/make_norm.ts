import { BatchNorm2d } from "./batch_norm.ts";
import type { NetworkContext } from "./context.ts";
import { GroupNorm } from "./group_norm.ts";
import { LayerNorm } from "./layer_norm.ts";
import type { Norm } from "./norm.ts";

/**
 * The normalisation that the network has (`model.norm`) for maps of so many channels. Every block of ours takes its
 * normalisations from here; the weights' names are the same for all of them.
 *
 * @throws SegfuseError `SEGFUSE_COMPONENT_OPTIONS` where `model.norm_groups` does not divide the channels
 */
export function makeNorm(channels: number, context: NetworkContext): Norm {
  const { type, groups } = context.norm;
  switch (type) {
    case "batch":
    case "sync_batch":
      return new BatchNorm2d(channels, context);
    case "group":
      return new GroupNorm(channels, groups);
    case "layer":
      return new LayerNorm(channels);
  }
}
