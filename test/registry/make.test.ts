import { expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { Type } from "../../src/index.ts";
import { defineSchedule } from "../../src/training/schedules/contracts.ts";

// One place makes components: what `create` is given.

function given(slot: object): unknown {
  const registry = createRegistry();
  let options: unknown;
  registry.register(
    defineSchedule({
      type: "seen",
      description: "keeps what it was made with",
      schema: Type.Object({
        steps: Type.Array(Type.Integer(), { default: [1, 2], description: "s" }),
        power: Type.Number({ default: 0.9, description: "p" }),
      }),
      create(made) {
        options = made;
        return { iterations: 1, rate: () => 1 };
      },
    }),
  );
  const schedule = registry.make("schedule", { type: "seen", ...slot });
  expect(schedule.rate(0, 1)).toBe(1);
  return options;
}

it("takes `type` off, fills in defaults and hands on the slot's own options", () => {
  expect(given({ power: 2, iterations: 7 })).toEqual({ steps: [1, 2], power: 2, iterations: 7 });
});

it("shares no default and nothing of the config with the component", () => {
  const slot = { steps: [3] };
  const options = given(slot) as { steps: number[] };
  options.steps.push(4);
  expect(slot.steps).toEqual([3]);
  const first = given({}) as { steps: number[] };
  first.steps.push(5);
  expect(given({})).toMatchObject({ steps: [1, 2] });
});

it("names the types that there are", () => {
  expect(() => createRegistry().make("schedule", { type: "pol" })).toThrow(
    expect.objectContaining({
      code: "SEGFUSE_UNKNOWN_COMPONENT",
      details: expect.objectContaining({ advice: "poly" }) as unknown,
    }) as Error,
  );
});
