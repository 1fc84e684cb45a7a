import { levelList } from "../models/backbones/guard.ts";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { checkMaps } from "../nn/map_checks.ts";
import { anInstance, wrong, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { Neck, type NeckTensors } from "./contracts.ts";

/** What a plug-in's neck must give. */
export const neckContract: Contract = {
  made: (made) =>
    anInstance(made, Neck, "Neck", "composeNeck({ … }) or ") ?? levelList((made as Neck).outputs, "outputs"),
  forward: neckMaps,
  methods: {
    gateMaps: (maps) => (Array.isArray(maps) ? null : wrong("a list of maps", maps)),
  },
};

/** An output that has a backbone level's stride has its size. */
function neckMaps(maps: unknown, { self, args, made }: Call): Fault | null {
  const { levels } = made[1] as { levels: readonly LevelInfo[] };
  const tensors = args[0] as NeckTensors;
  const batch = tensors.levels[0]!.shape[0];
  return checkMaps(
    maps,
    (self as Neck).outputs.map(({ channels, stride }) => {
      const same = tensors.levels[levels.findIndex((level) => level.stride === stride)];
      return [batch, same?.shape[1] ?? null, same?.shape[2] ?? null, channels];
    }),
  );
}
