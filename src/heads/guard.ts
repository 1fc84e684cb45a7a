import type { Tensor4D } from "@tensorflow/tfjs";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { hasShape, showExtents, showMap } from "../nn/map_checks.ts";
import { anInstance, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { AuxiliaryHead, ContextModule, Head } from "./contracts.ts";

/** What a plug-in's head must give. */
export const headContract: Contract = {
  made: (made) => anInstance(made, Head, "Head"),
  forward: logits,
  methods: { forward: logits }, // at every call: predictions are read off them by the number of classes
  also: {
    context: {
      check: (made) => (made === null ? null : anInstance(made, ContextModule, "ContextModule", "null or ")),
      forward: contextMap,
      methods: {},
    },
  },
};

/** What a plug-in's auxiliary head must give. */
export const auxiliaryHeadContract: Contract = {
  made: (made) => anInstance(made, AuxiliaryHead, "AuxiliaryHead"),
  forward: logits,
  methods: { forward: logits }, // at every call: predictions are read off them by the number of classes
};

/** A context that says its stride has the size of the level with that stride. */
function contextMap(map: unknown, { self, args, made }: Call): Fault | null {
  const { channels, stride } = (self as ContextModule).output;
  const infos = made[1] as readonly LevelInfo[];
  const levels = args[0] as readonly Tensor4D[];
  const same = levels[infos.findIndex((level) => level.stride === stride)];
  const shape = [levels[0]!.shape[0], same?.shape[1] ?? null, same?.shape[2] ?? null, channels];
  return hasShape(map, shape) ? null : { expected: `a map ${showExtents(shape)}`, found: showMap(map) };
}

function logits(map: unknown, { args, made }: Call): Fault | null {
  const { numClasses } = made[1] as { numClasses: number };
  const batch = (args[0] as readonly Tensor4D[])[0]?.shape[0] ?? null;
  const shape = [batch, null, null, numClasses];
  if (hasShape(map, shape)) return null;
  return { expected: `logits ${showExtents(shape)}`, found: showMap(map) };
}
