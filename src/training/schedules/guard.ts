import { hasMethods, ofType, wrong, type Contract } from "../../registry/guard/contract.ts";

/** What a plug-in's schedule must give. */
export const scheduleContract: Contract = {
  made: (made) => hasMethods(made, "rate") ?? ofType(made, "iterations", "number"),
  methods: { rate: (rate) => (Number.isFinite(rate) ? null : wrong("a finite number", rate)) },
};
