import { expect, it } from "vitest";
import { Files, small } from "./files.ts";

it("options of the optimiser and the schedule that do not go together are refused", async () => {
  const files = new Files({
    "a.yaml": `${small}
optimizer: {type: sgd, lr: 0.01, momentum: 0, nesterov: true}
schedule: {type: step, iterations: 100, milestones: [50, 100]}
`,
    "b.yaml": `${small}
optimizer: {type: adamw, lr: 0.01}
schedule: {type: cosine, iterations: 100, min_lr: 0.1}
`,
  });
  const told = [await files.report(files.load("a.yaml")), await files.report(files.load("b.yaml"))];
  expect(told.join("\n\n")).toMatchInlineSnapshot(`
    "2 complaints

    SEGFUSE_COMPONENT_OPTIONS: Nesterov's momentum needs a momentum
      at: ROOT/a.yaml:8:57 (optimizer.nesterov)
      8 | optimizer: {type: sgd, lr: 0.01, momentum: 0, nesterov: true}
        |                                                         ^
      expected: optimizer.momentum above 0
      found: momentum 0

    SEGFUSE_COMPONENT_OPTIONS: a milestone is not within the run
      at: ROOT/a.yaml:9:58 (schedule.milestones.1)
      9 | schedule: {type: step, iterations: 100, milestones: [50, 100]}
        |                                                          ^
      expected: less than 100 (schedule.iterations)
      found: 100

    SEGFUSE_COMPONENT_OPTIONS: the learning rate would rise over the run
      at: ROOT/b.yaml:9:51 (schedule.min_lr)
      9 | schedule: {type: cosine, iterations: 100, min_lr: 0.1}
        |                                                   ^
      expected: at most 0.01 (optimizer.lr)
      found: 0.1"
  `);
});
