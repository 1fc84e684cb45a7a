import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isBetter } from "../../../src/evaluation/scores.ts";
import { useEngine } from "../../helpers/engine.ts";
import { HookRuns } from "../../helpers/hook_run.ts";
import { MemoryLogger } from "../../helpers/tiny_run.ts";

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns();
});
afterAll(() => runs.remove());

/** Nothing gets better by 9, so that the first evaluation stays the best. */
const stopping = (patience: number, metric = "val_loss") =>
  `{type: early_stopping, metric: ${metric}, patience: ${patience}, min_delta: 9}`;
const options = (...hooks: string[]) => [
  "evaluation.interval=1",
  "checkpoint.interval=2",
  `hooks=[${hooks.join(", ")}]`,
];

interface State {
  iteration: number;
  stopped: string | null;
  hooks: Record<string, { best: { iteration: number }; waited: number }>;
}

describe("early stopping", () => {
  const logger = new MemoryLogger();
  beforeAll(async () => {
    await runs.start("stopped", options(stopping(4), stopping(2, "mBIoU")), { logger });
  });

  it("ends a run when a score has stopped getting better, as if that had been its last iteration", () => {
    // Checkpoints are written meanwhile: when they are told is a matter of the disk.
    const log = runs.log("stopped").filter(({ event }) => event !== "checkpoint");
    expect(log.map(({ event, iteration }) => `${event} ${iteration}`).join(", ")).toMatchInlineSnapshot(
      `"start 0, evaluate 1, train 2, evaluate 2, evaluate 3, end 3"`,
    );
    const reason = /^early stopping: mBIoU was best at 1 \(0\.\d{4}\), 2 evaluations ago$/;
    expect(log.at(-1)!.stopped).toMatch(reason);
    const state = runs.json<State>("stopped/checkpoints/iter_3/state.json");
    expect(state.stopped).toMatch(reason);
    expect(state.hooks["early_stopping"]).toMatchObject({ best: { iteration: 1 }, waited: 2 });
    expect(state.hooks["early_stopping.2"]).toMatchObject({ best: { iteration: 1 }, waited: 2 });
    expect(logger.lines.filter((line) => line.startsWith("stopping"))).toHaveLength(1);
  });

  it("counts on in a resumed run", async () => {
    await runs.start("resumed", options(stopping(4), stopping(2, "mBIoU")), {
      resumeFrom: runs.tiny.path("stopped/checkpoints/iter_2"),
    });
    const [once, resumed] = ["stopped", "resumed"].map((name) =>
      runs.json<State>(`${name}/checkpoints/iter_3/state.json`),
    );
    expect(resumed!.hooks).toEqual(once!.hooks);
    expect(resumed!.stopped).toBe(once!.stopped);
  });

  it("is not undone by --resume, but by another config", async () => {
    const told = new MemoryLogger();
    const set = options(stopping(4), stopping(2, "mBIoU"));
    const again = await runs.start("stopped", set, { resume: true, logger: told });
    expect(again.checkpoint).toBe(runs.tiny.path("stopped/checkpoints/iter_3"));
    expect(
      told.lines
        .join("\n")
        .replace(runs.tiny.folder, "FOLDER")
        .replace(/0\.\d+/, "#"),
    ).toMatchInlineSnapshot(
      `"nothing to train: FOLDER/stopped/checkpoints/iter_3 has seen 3 of 6 iterations: early stopping: mBIoU was best at 1 (#), 2 evaluations ago"`,
    );
    const { checkpoint } = await runs.start("stopped", options(), { resume: true });
    expect(checkpoint).toBe(runs.tiny.path("stopped/checkpoints/iter_6"));
  });

  it("knows that a loss is better where it is lower, and NaN never", () => {
    expect([isBetter("lower", 1, 2), isBetter("lower", 2, 1), isBetter("higher", 2, 1)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([isBetter("higher", 0.5, 0.45, 0.1), isBetter("lower", 0.4, 0.45, 0.1)]).toEqual([false, false]);
    expect([isBetter("higher", NaN, null), isBetter("higher", 0, null), isBetter("higher", 1, 1)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("the best checkpoint", () => {
  it("by val_loss is that of the lowest", async () => {
    const { best } = await runs.start("best", [
      "evaluation.interval=1",
      "checkpoint.best=val_loss",
      "evaluation.loss=false", // needed all the same
    ]);
    const losses = runs
      .log("best")
      .filter(({ event }) => event === "evaluate")
      .map((line) => line.val_loss as number);
    expect(losses).toHaveLength(6);
    expect(best).toEqual({
      metric: "val_loss",
      value: Math.min(...losses),
      iteration: 1 + losses.indexOf(Math.min(...losses)),
    });
    expect(runs.text("best/checkpoints/best")).toBe(`iter_${best!.iteration}\n`);
  });
});
