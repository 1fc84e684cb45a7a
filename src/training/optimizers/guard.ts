import { anything, hasMethods, type Contract } from "../../registry/guard/contract.ts";

/** What a plug-in's optimiser must give. */
export const optimizerContract: Contract = {
  made: (made) => hasMethods(made, "apply", "state", "dispose"),
  methods: { apply: anything, state: anything, dispose: anything },
};
