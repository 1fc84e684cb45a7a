/**
 * Times whole training steps and inference of the shipped networks on ResNet-50 beside PyTorch eager on the same
 * machine, step by step in turn (bench/step_torch.py, where a `python3` with torch is found):
 *
 *     npx tsx bench/step.ts [repetitions]
 *
 * Medians; ratios above 1: PyTorch takes longer. Both have all the machine's cores to themselves in their turn.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { loadConfig } from "../src/config/load.ts";
import { openEngine } from "../src/engine/engine.ts";
import { predictClasses } from "../src/evaluation/inference.ts";
import { buildSegmentor } from "../src/models/build.ts";
import { materialise } from "../src/nn/materialise.ts";
import { createRegistry } from "../src/builtin.ts";
import { TrainingStep } from "../src/training/step.ts";
import { trainableParameters } from "../src/training/initial_weights.ts";

type Work = "train" | "eval";

interface Side {
  readonly name: string;
  readonly parameters: number;
  run(work: Work): Promise<number>;
  close(): void;
}

const repetitions = Number(process.argv[2] ?? 7);
const [batch, height, width] = [2, 256, 256];
const engine = await openEngine({ type: "tensorflow", threads: null });
console.log(
  `TensorFlow ${engine.version}, ${engine.device}; batch ${batch}×${height}×${width}; medians of ${repetitions}, in ms`,
);
for (const [network, config] of [
  ["pspnet", "configs/table1/pspnet.yaml"],
  ["gff_dfp", "configs/table2/gff_dfp.yaml"],
] as const) {
  const sides = [await ours(config), await torch(network, false), await torch(network, true)].filter(
    (side) => side !== null,
  );
  const times = new Map(sides.map((side) => [side, { train: [] as number[], eval: [] as number[] }]));
  for (const work of ["train", "eval"] as const)
    for (let i = -1; i < repetitions; i++)
      for (const side of sides) {
        const time = await side.run(work);
        if (i >= 0) times.get(side)![work].push(time);
      }
  const reference = times.get(sides[0]!)!;
  for (const [side, { train, eval: evaluate }] of times) {
    const text = [train, evaluate].map((list, i) => {
      const ratio = median(list) / median(i === 0 ? reference.train : reference.eval);
      return `${["training step", "inference"][i]!} ${median(list).toFixed(0).padStart(5)} (${ratio.toFixed(2)})`;
    });
    console.log(
      `${network.padEnd(8)} ${side.name.padEnd(32)} ${text.join("   ")}   ${side.parameters} parameters`,
    );
    side.close();
  }
}

async function ours(config: string): Promise<Side> {
  const registry = createRegistry();
  const { config: loaded } = await loadConfig(config, {
    registry,
    set: ["model.backbone.depth=50"],
    allowUnsetEnv: true,
  });
  const segmentor = buildSegmentor(loaded.model, { numClasses: 19, ignoreIndex: 255 }, registry);
  materialise(segmentor, 0);
  const parameters = trainableParameters(segmentor);
  const data = {
    ids: ["0", "1"],
    height,
    width,
    images: Float32Array.from({ length: batch * height * width * 3 }, (_, i) => Math.sin(i)),
    labels: Int32Array.from({ length: batch * height * width }, (_, i) => (i * 7919) % 19),
  };
  const optimizer = registry.make("optimizer", loaded.optimizer, { parameters });
  const step = new TrainingStep({
    segmentor,
    parameters,
    optimizer,
    schedule: registry.make("schedule", loaded.schedule),
    baseLr: 1e-3,
    accumulate: 1,
    clipNorm: null,
    seed: 0,
  });
  const settings = { ...loaded.evaluation, mode: "whole" as const, window: [height, width] as const };
  let iteration = 0;
  return {
    name: "segfuse",
    parameters: [...parameters.values()].reduce((sum, { size }) => sum + size, 0),
    async run(work) {
      const start = performance.now();
      if (work === "train")
        await step.run(
          iteration++,
          () => Promise.resolve(data),
          () => Promise.resolve(),
        );
      else {
        const classes = tf.tidy(() =>
          predictClasses(
            segmentor,
            tf.tensor4d(data.images, [batch, height, width, 3]),
            [height, width],
            settings,
          ),
        );
        await classes.data();
        classes.dispose();
      }
      return performance.now() - start;
    },
    close() {
      optimizer.dispose();
      segmentor.dispose();
    },
  };
}

/** Null where there is no Python with torch. */
async function torch(network: string, channelsLast: boolean): Promise<Side | null> {
  const script = fileURLToPath(new URL("step_torch.py", import.meta.url));
  const options = JSON.stringify({ network, batch, size: [height, width], channels_last: channelsLast });
  const child = spawn("python3", [script, options]);
  const lines = createInterface(child.stdout);
  const hello = await Promise.race([nextLine(lines), once(child, "close").then(() => null)]);
  if (hello === null) {
    console.log("no python3 with torch: nothing to compare with");
    return null;
  }
  const { version, parameters } = JSON.parse(hello) as { version: string; parameters: number };
  return {
    name: `PyTorch ${version}${channelsLast ? ", channels last" : ""}`,
    parameters,
    run: async (work) => Number(await ask(child, lines, work)),
    close: () => child.stdin.end(),
  };
}

async function ask(child: ChildProcessWithoutNullStreams, lines: Interface, work: Work): Promise<string> {
  child.stdin.write(`${work}\n`);
  return nextLine(lines);
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = (await once(lines, "line")) as [string];
  return line;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
