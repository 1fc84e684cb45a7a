import type { Rule } from "./rule.ts";

/** A head that works on a map per level needs a neck that gives one (networks: `dfp` on gff, fpn, gated_fpn). */
export const densePyramid: Rule = {
  code: "SEGFUSE_HEAD_NEEDS_PYRAMID",
  *check({ model }, registry) {
    const head = registry.get("head", model.head.type);
    const neck = registry.get("neck", model.neck.type);
    if (head.needsPyramid !== true || neck.isPyramid !== false) return;
    const fitting = registry.list("neck").filter((record) => record.isPyramid !== false);
    yield {
      path: ["model", "neck", "type"],
      message: `the head '${head.type}' needs a neck with one map per level`,
      expected: `one of ${fitting.map((record) => record.type).join(", ")}`,
      found: neck.type,
    };
  },
};
