import { afterAll, expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";
import { reportsWithoutTimes } from "../helpers/seeds.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// A small part of seeds.long.ts: one row, two processes; dropout, augmentation and two workers included.

const tiny = new TinyRun();
afterAll(() => tiny.remove());

it("gives the same report again, in another process and with other numbers of workers", async () => {
  const reports = [];
  for (const workers of [1, 3]) {
    const workDir = tiny.path(`with_${workers}`);
    const set = ["--set", `data.workers=${workers}`];
    const trained = await segfuse(["train", tiny.config, "--work-dir", workDir, ...set]);
    expect(trained.stderr).toContain("iter 6/6");
    const tested = await segfuse(["test", tiny.config, workDir, "--out", workDir, ...set]);
    expect([trained.code, tested.code]).toEqual([0, 0]);
    reports.push(reportsWithoutTimes(workDir));
  }
  expect([...reports[0]!.keys()]).toEqual(["report.json"]);
  expect(reports[0]!.get("report.json")).toMatch(/"sha256": "[0-9a-f]{64}"/);
  expect(reports[1]).toEqual(reports[0]);
}, 300_000);
