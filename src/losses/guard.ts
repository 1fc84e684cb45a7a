import { isTensor, showMap } from "../nn/map_checks.ts";
import { hasMethods, ofType, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";

/** What a plug-in's loss must give. */
export const lossContract: Contract = {
  made: (made) => hasMethods(made, "forward") ?? ofType(made, "name", "string"),
  forward: scalar,
  methods: { forward: scalar },
};

function scalar(value: unknown): Fault | null {
  if (isTensor(value) && value.rank === 0) return null;
  return { expected: "a scalar tensor []", found: showMap(value) };
}
