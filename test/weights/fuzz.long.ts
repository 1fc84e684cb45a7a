import { expect, it } from "vitest";
import { fuzz, victims } from "./fuzz.ts";

const mutations = 3000;

it.each(victims().map((victim) => [victim.name, victim] as const))("mutations of %s", async (_, victim) => {
  const before = process.memoryUsage().rss;
  const { same, refused, different } = await fuzz(victim, mutations);
  process.stderr.write(
    `${victim.name}: ${same} same, ${refused} refused, ${different} as the reference reads them\n`,
  );
  expect(same + refused + different).toBe(mutations);
  expect(process.memoryUsage().rss - before).toBeLessThan(500 * 2 ** 20);
});
