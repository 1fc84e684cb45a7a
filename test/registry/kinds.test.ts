import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { kinds } from "../../src/builtin.ts";
import { segfuse } from "../helpers/cli.ts";

// A plug-in with a component of every kind, in a folder of its own, trained from elsewhere.

const folder = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-kinds-"));
afterAll(() => rmSync(folder, { recursive: true }));
const project = join(folder, "project");
const elsewhere = join(folder, "elsewhere");
const note = join(folder, "notes.txt");
const plugin = join(project, "plugins/all.ts");

mkdirSync(join(project, "configs"), { recursive: true });
mkdirSync(elsewhere);
cpSync(new URL("kinds/all.ts", import.meta.url), plugin);
writeFileSync(
  join(project, "configs/run.yaml"),
  `
plugins: [../plugins/all.ts]
model:
  backbone: {type: two_levels}
  neck: {type: sum}
  head: {type: flat, losses: [{type: my_loss}]}
  auxiliary_head: {type: coarse, losses: [{type: my_loss, weight: 0.4}]}
data:
  dataset: {type: halves}
  batch_size: 2
  workers: 1
  crop_size: [32, 32]
  train: {transforms: [{type: random_crop}, {type: invert, note: ${note}}]}
optimizer: {type: plain, lr: 0.5}
schedule: {type: halving, iterations: 2}
evaluation: {mode: whole, interval: 1, metrics: [mIoU, {type: missed, of: right, note: ${note}}]}
checkpoint: {best: missed}
hooks: [{type: notes, note: ${note}}]
`,
);

it("components of every kind are named, found and used, in data workers too", async () => {
  const trained = await segfuse(["train", "../project/configs/run.yaml", "--work-dir", "run"], {
    cwd: elsewhere,
  });
  expect(trained).toMatchObject({ code: 0 });
  const notes = readFileSync(note, "utf8").trim().split("\n");
  expect(notes.filter((line) => line.startsWith("update"))).toEqual([
    "update 1 lr 0.5 decode.my_loss aux.my_loss loss",
    "update 2 lr 0.25 decode.my_loss aux.my_loss loss",
  ]);
  const transforms = notes.filter((line) => line.startsWith("transform"));
  expect(transforms.length).toBeGreaterThanOrEqual(4);
  expect([...new Set(transforms)]).toEqual(["transform in a worker"]);

  // Once to be tried before the run, once for it.
  expect(notes.filter((line) => line.startsWith("metric"))).toEqual([
    "metric of right among left, right",
    "metric of right among left, right",
  ]);
  const folder = join(elsewhere, "run/checkpoints");
  const state = readFileSync(join(folder, "iter_2/state.json"), "utf8");
  const { best } = JSON.parse(state) as { best: { metric: string; value: number } };
  expect(best).toMatchObject({ metric: "missed", value: expect.any(Number) as number });

  const weights = join("run/checkpoints/iter_2/model.safetensors");
  const convert = [
    "convert",
    weights,
    "theirs.safetensors",
    "--map",
    "prefixed",
    "--reverse",
    "--plugin",
    plugin,
  ];
  expect(await segfuse(convert, { cwd: elsewhere })).toMatchObject({ code: 0, stderr: "" });
  const header = readFileSync(join(elsewhere, "theirs.safetensors"));
  expect(header.includes('"theirs.backbone.stages.0.conv.weight"')).toBe(true);
  expect(readdirSync(elsewhere).sort()).toEqual(["run", "theirs.safetensors"]);
});

it("is one plug-in with all kinds that there are", async () => {
  const { stdout } = await segfuse(["list", "--plugin", plugin, "--json"]);
  const listed = JSON.parse(stdout) as { kind: string; source: string }[];
  expect(listed.filter(({ source }) => source === plugin).map(({ kind }) => kind)).toEqual([...kinds]);
});
