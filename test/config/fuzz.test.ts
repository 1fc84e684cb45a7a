import { expect, it } from "vitest";
import { fuzz } from "./fuzz/run.ts";

// All 20,000 mutants: fuzz.long.ts.

it("a mutated config is refused with a code, or builds", async () => {
  const { count, yaml, networks, codes, failures } = await fuzz(0, 600);
  expect(failures).toEqual([]);
  expect(yaml).toBeGreaterThan(count / 2);
  // the mutants are of many sorts
  expect(networks).toBeGreaterThan(50);
  expect(Object.keys(codes).length).toBeGreaterThan(15);
});
