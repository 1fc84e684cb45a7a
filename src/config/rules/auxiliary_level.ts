import { auxiliaryHeads } from "./heads.ts";
import type { Rule } from "./rule.ts";

/** An auxiliary head looks at a level that the backbone has. */
export const auxiliaryLevel: Rule = {
  code: "SEGFUSE_AUXILIARY_LEVEL",
  *check({ model }, registry) {
    const { levelCount } = registry.get("backbone", model.backbone.type);
    if (levelCount === undefined) return;
    for (const [head, place] of auxiliaryHeads(model)) {
      const level = head["level"];
      if (typeof level !== "number" || level <= levelCount) continue;
      yield {
        path: [...place, "level"],
        message: "an auxiliary head sees a level that is not there",
        expected: `1 to ${levelCount}, the levels of the backbone '${model.backbone.type}'`,
        found: String(level),
      };
    }
  },
};
