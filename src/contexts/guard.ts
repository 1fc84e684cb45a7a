import type { Tensor4D } from "@tensorflow/tfjs";
import { hasShape, showExtents, showMap } from "../nn/map_checks.ts";
import { levelList } from "../models/backbones/guard.ts";
import { anInstance, wrong, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { ContextModule, type ContextInputs } from "./contracts.ts";

/** What a plug-in's context must give. */
export const contextContract: Contract = {
  made: (made) =>
    made === null
      ? null
      : (anInstance(made, ContextModule, "ContextModule", "null or ") ??
        levelList([(made as ContextModule).output], "output")),
  forward: contextMap,
  methods: {},
  also: { leastCells: { check: cells, methods: {} } },
};

function cells(count: unknown): Fault | null {
  return Number.isInteger(count) && (count as number) > 0
    ? null
    : wrong("a number of cells, 1 or more", count);
}

/** A context that says its stride has the size of the level with that stride. */
function contextMap(map: unknown, { self, args, made }: Call): Fault | null {
  const { channels, stride } = (self as ContextModule).output;
  const { levels: infos } = made[1] as ContextInputs;
  const levels = args[0] as readonly Tensor4D[];
  const same = levels[infos.findIndex((level) => level.stride === stride)];
  const shape = [levels[0]!.shape[0], same?.shape[1] ?? null, same?.shape[2] ?? null, channels];
  return hasShape(map, shape) ? null : { expected: `a map ${showExtents(shape)}`, found: showMap(map) };
}
