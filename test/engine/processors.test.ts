import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";
import { sharedData } from "../helpers/data.ts";

// TensorFlow leaves oneDNN off on processors without AVX512-VNNI, and has fewer operations then. Each start below is
// a process of its own: the variable is read while the library loads.

const folder = mkdtempSync(join(tmpdir(), "segfuse-processors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const camvid = sharedData("camvid");
const weights = sharedData("weights");

/** The losses of a run's first updates by the value of the variable. */
async function firstLosses(name: string, args: string[], env: NodeJS.ProcessEnv): Promise<number[][]> {
  const losses: number[][] = [];
  for (const value of [undefined, "0", "1"]) {
    const workDir = join(folder, `${name}-${value ?? "unset"}`);
    const run = await segfuse(["train", ...args, "--work-dir", workDir, "--set", "log.interval=1"], {
      env: { ...env, TF_ENABLE_ONEDNN_OPTS: value },
    });
    expect(run.stderr).not.toContain("SEGFUSE_");
    expect(run.code).toBe(0);
    const lines = readFileSync(join(workDir, "run.jsonl"), "utf8").trim().split("\n");
    const records = lines.map((line) => JSON.parse(line) as { event: string; loss: number });
    losses.push(records.filter(({ event }) => event === "train").map(({ loss }) => loss));
  }
  return losses;
}

function expectTheSame([unset, off, on]: number[][]): void {
  expect(unset).toHaveLength(2);
  expect(unset).toEqual(on);
  for (const [i, loss] of off!.entries()) expect(Math.abs(loss - on![i]!) / on![i]!).toBeLessThan(1e-4);
}

// Six starts of the whole program, also beside other work
describe("with oneDNN off, on, and as the engine decides", { timeout: 600_000 }, () => {
  const few = ["--set", "schedule.iterations=2", "--set", "data.batch_size=2", "--set", "data.workers=1"];

  it("the demo's first updates", async () => {
    const args = ["configs/table1/gff.yaml", "--overlay", "configs/overlays/quick.yaml", ...few];
    expectTheSame(await firstLosses("demo", args, {}));
  });

  it.skipIf(camvid === null || weights === null)("the CamVid study's first updates", async () => {
    const args = ["configs/table1/gff.yaml", "--overlay", "configs/overlays/camvid_quick.yaml", ...few];
    expectTheSame(await firstLosses("camvid", args, { SEGFUSE_CAMVID: camvid!, SEGFUSE_WEIGHTS: weights! }));
  });
});
