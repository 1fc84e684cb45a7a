import type { Tensor4D } from "@tensorflow/tfjs";
import { hasShape, showExtents, showMap } from "../nn/map_checks.ts";
import { anInstance, anything, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { AuxiliaryHead, ContextModule, Head } from "./contracts.ts";

/** What a plug-in's head must give. */
export const headContract: Contract = {
  made: (made) => anInstance(made, Head, "Head"),
  methods: { forward: logits },
  also: {
    context: {
      check: (made) => (made === null ? null : anInstance(made, ContextModule, "ContextModule", "null or ")),
      methods: { forward: anything },
    },
  },
};

/** What a plug-in's auxiliary head must give. */
export const auxiliaryHeadContract: Contract = {
  made: (made) => anInstance(made, AuxiliaryHead, "AuxiliaryHead"),
  methods: { forward: logits },
};

function logits(map: unknown, { args, made }: Call): Fault | null {
  const { numClasses } = made[1] as { numClasses: number };
  const batch = (args[0] as readonly Tensor4D[])[0]?.shape[0] ?? null;
  const shape = [batch, null, null, numClasses];
  if (hasShape(map, shape)) return null;
  return { expected: `logits ${showExtents(shape)}`, found: showMap(map) };
}
