import { readFileSync } from "node:fs";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { fixturePath } from "../helpers/fixtures.ts";

interface Case {
  readonly options: { readonly type: string };
  readonly rates: readonly number[];
}

const cases = JSON.parse(readFileSync(fixturePath("schedules.json"), "utf8")) as Case[];
const registry = createRegistry();

/** As the config's loader hands options on: with the record's defaults and the slot's. */
function create({ type, ...options }: { type: string }, iterations: number) {
  const record = registry.get("schedule", type);
  const slot = { iterations, warmup: { iterations: 0, ratio: 0.1 } };
  const full = { ...slot, ...(Value.Default(record.schema, structuredClone(options)) as object) };
  return record.create(full);
}

describe("schedules give the rates of torch.optim.lr_scheduler over the whole run", () => {
  it.each(cases.map(({ options, rates }) => [JSON.stringify(options), options, rates] as const))(
    "%s",
    (_, options, rates) => {
      const schedule = create(options, rates.length);
      expect(schedule.iterations).toBe(rates.length);
      for (const [t, expected] of rates.entries())
        expect(Math.abs(schedule.rate(t, 0.1) - expected), `iteration ${t}`).toBeLessThan(1e-12);
    },
  );

  it("all of them", () => {
    expect(new Set(cases.map(({ options }) => options.type))).toEqual(new Set(registry.types("schedule")));
  });
});
