import { hasMethods, wrong, type Contract } from "../../registry/guard/contract.ts";
import type { Fault } from "../../registry/guard/owner.ts";

/** What a plug-in's name map must give. */
export const nameMapContract: Contract = {
  made: (made) => hasMethods(made, "toOurs", "toTheirs"),
  methods: { toOurs: aName, toTheirs: aName },
};

function aName(name: unknown): Fault | null {
  if (name === null || name === undefined || typeof name === "string") return null;
  return wrong("a name, null (no place here) or undefined (not known)", name);
}
