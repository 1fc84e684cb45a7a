import { anything, hasMethods, wrong, type Contract } from "../../registry/guard/contract.ts";

/** What a plug-in's optimiser must give. */
export const optimizerContract: Contract = {
  made: (made) => hasMethods(made, "apply", "state", "dispose"),
  methods: {
    apply: anything,
    // What is not in it is in no checkpoint.
    state: (state) => (state instanceof Map ? null : wrong("a Map of parameters by name", state)),
    dispose: anything,
  },
};
