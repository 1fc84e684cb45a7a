import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";
import { reportsWithoutTimes } from "../helpers/seeds.ts";

// All rows of the demo with few updates and images; what they learn does not matter here.

const folder = mkdtempSync(join(tmpdir(), "segfuse-seeds-"));
afterAll(() => rmSync(folder, { recursive: true }));

const runs = 5;
const rows = ["pspnet", "concat", "addition", "fpn", "gated_fpn", "gff", "gff_dfp", "gff_dfp_ms"];

it("gives identical reports five times, but for times", async () => {
  const overlay = join(folder, "short.yaml");
  writeFileSync(
    overlay,
    `
config:
  data: {batch_size: 2, dataset: {train_size: 8, val_size: 2, test_size: 4}}
  schedule: {iterations: 3}
  checkpoint: {interval: 3}
  evaluation: {interval: 2}
  log: {interval: 1}
rows: {pspnet: {schedule: {iterations: 4}}}
`,
  );
  const reports = [];
  for (let run = 0; run < runs; run++) {
    const workDir = join(folder, `run_${run}`);
    const { code, stderr } = await segfuse([
      "ablate",
      "configs/studies/gff.yaml",
      ...["--overlay", "configs/overlays/quick.yaml", "--overlay", overlay, "--work-dir", workDir],
    ]);
    expect(code, stderr).toBe(0);
    reports.push(reportsWithoutTimes(workDir));
  }
  const files = [...rows.map((row) => `${row}/seed_0/report.json`), "report.json"].sort();
  expect([...reports[0]!.keys()]).toEqual(files);
  for (const report of reports) expect(report).toEqual(reports[0]);
});
