import type { Rule } from "./rule.ts";

/** Most hooks make sense once: two checkpoint hooks would store everything twice. */
export const repeatedHooks: Rule = {
  code: "SEGFUSE_HOOK_TWICE",
  *check({ hooks }, registry) {
    const seen = new Set<string>();
    for (const [index, { type }] of hooks.entries()) {
      const isRepeatable = registry.get("hook", type).isRepeatable === true;
      if (seen.has(type) && !isRepeatable) {
        yield {
          path: ["hooks", index],
          message: "a hook stands in the list twice",
          expected: `${type} at most once`,
          found: `another ${type}`,
        };
      }
      seen.add(type);
    }
  },
};
