import { afterAll, expect, it } from "vitest";
import { Random } from "../../src/util/random.ts";
import { finishAndCompare, killAt, trainProcess, type Moment } from "../helpers/killed_run.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

const tiny = new TinyRun();
const plan = { tiny, iterations: 40 };
afterAll(() => tiny.remove());

const seed = Number(process.env.SEGFUSE_KILL_SEED ?? 1);

it(`a run that is killed twenty times ends like one that never was (seed ${seed})`, async () => {
  const reference = tiny.path("reference");
  const { code, stderr } = await trainProcess(plan, reference).ended;
  expect(code, stderr).toBe(0);

  const workDir = tiny.path("killed");
  const random = new Random("kills", seed);
  const counts: Record<Moment, number> = { checkpoint: 0, iteration: 0, evaluation: 0 };
  const wanted: Record<Moment, number> = { checkpoint: 9, iteration: 6, evaluation: 5 };
  for (let kills = 0; kills < 20; kills++) {
    const open = (Object.keys(wanted) as Moment[]).filter((moment) => counts[moment] < wanted[moment]);
    const killed = await killAt(open[random.integer(open.length)] ?? "checkpoint", plan, workDir, random);
    expect(killed, "the run ended before it was killed often enough").not.toBe("ended");
    counts[killed as Moment]++;
  }
  process.stdout.write(`kills: ${JSON.stringify(counts)}\n`);
  expect(counts.checkpoint).toBeGreaterThanOrEqual(8);
  await finishAndCompare(plan, workDir, reference);
});
