import type { Tensor4D } from "@tensorflow/tfjs";
import { hasShape, showExtents, showMap } from "../nn/map_checks.ts";
import { levelList } from "../models/backbones/guard.ts";
import { anInstance, wrong, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { ContextModule } from "./contracts.ts";

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

function contextMap(map: unknown, { self, args }: Call): Fault | null {
  const { channels } = (self as ContextModule).output;
  const shape = [(args[0] as readonly Tensor4D[])[0]?.shape[0] ?? null, null, null, channels];
  if (hasShape(map, shape)) return null;
  return { expected: `a context map ${showExtents(shape)}`, found: showMap(map) };
}
