import type { Tensor4D } from "@tensorflow/tfjs";
import { hasShape, showExtents, showMap } from "../nn/map_checks.ts";
import { anInstance, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { AuxiliaryHead, Head, type HeadTensors, type SupervisedOutput } from "./contracts.ts";

/** What a plug-in's head must give. */
export const headContract: Contract = {
  made: (made) => anInstance(made, Head, "Head"),
  forward: logitsOf,
  methods: {
    forward: logitsOf, // at every call: predictions are read off them by the number of classes
    forwardTraining: outputs,
  },
};

/** What a plug-in's auxiliary head must give. */
export const auxiliaryHeadContract: Contract = {
  made: (made) => anInstance(made, AuxiliaryHead, "AuxiliaryHead"),
  forward: auxiliaryLogits,
  methods: { forward: auxiliaryLogits },
};

function logitsOf(map: unknown, call: Call): Fault | null {
  return logits(map, batchOf(call.args[0] as HeadTensors), call);
}

function auxiliaryLogits(map: unknown, call: Call): Fault | null {
  return logits(map, (call.args[0] as readonly Tensor4D[])[0]?.shape[0] ?? null, call);
}

function batchOf({ levels }: HeadTensors): number | null {
  return levels[0]?.shape[0] ?? null;
}

function logits(map: unknown, batch: number | null, { made }: Call): Fault | null {
  const { numClasses } = made[1] as { numClasses: number };
  const shape = [batch, null, null, numClasses];
  if (hasShape(map, shape)) return null;
  return { expected: `logits ${showExtents(shape)}`, found: showMap(map) };
}

/** The logits, and an output of each name that the head has declared. */
function outputs(given: unknown, call: Call): Fault | null {
  const { logits: map, supervised } = (given ?? {}) as Record<string, unknown>;
  const batch = batchOf(call.args[0] as HeadTensors);
  const fault = logits(map, batch, call);
  if (fault !== null) return fault;
  const { numClasses } = call.made[1] as { numClasses: number };
  const maps = (supervised ?? {}) as Record<string, unknown>;
  const declared = (call.self as Head).supervised;
  for (const output of declared) {
    const shape = shapeOf(output, batch, numClasses);
    if (hasShape(maps[output.name], shape)) continue;
    return {
      expected: `the output '${output.name}' ${showExtents(shape)}`,
      found: showMap(maps[output.name]),
    };
  }
  const other = Object.keys(maps).find((name) => declared.every((output) => output.name !== name));
  return other === undefined ? null : { expected: "outputs that `supervised` declares", found: other };
}

function shapeOf({ kind, channels }: SupervisedOutput, batch: number | null, numClasses: number) {
  const last = channels ?? numClasses;
  return kind === "vector" ? [batch, last] : [batch, null, null, last];
}

/** Heads of `apiVersion` 1 made their context themselves. */
export function headProblem({ type, context }: Readonly<Record<string, unknown>>): string | null {
  if (context === undefined) return null;
  return `the head '${String(type)}' with context(), which is the option context: contextOption() since apiVersion 2`;
}
