import { expect, it } from "vitest";
import { fuzz, victims } from "./fuzz.ts";

// A part of fuzz.long.ts, with the same seeds.
it.each(victims().map((victim) => [victim.name, victim] as const))("mutations of %s", async (_, victim) => {
  const { same, refused, different } = await fuzz(victim, 150);
  expect(same + refused + different).toBe(150);
  expect(refused).toBeGreaterThan(50);
});
