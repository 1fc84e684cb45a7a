import type { LoadedConfig } from "../config/index.ts";
import { networkGraph, type NetworkGraph } from "../graph/index.ts";
import type { Registry } from "../kinds.ts";
import { configNetwork } from "./cost.ts";

/**
 * The graph of a config's network; like its cost, it needs no data.
 *
 * @param size [height, width] of the image, in pixels
 * @throws SegfuseError as `configCost`
 */
export async function configGraph(
  loaded: LoadedConfig,
  registry: Registry,
  [height, width]: readonly [number, number],
): Promise<NetworkGraph> {
  const segmentor = await configNetwork(loaded, registry);
  return networkGraph(segmentor, { height, width, inChannels: loaded.config.model.in_channels });
}
