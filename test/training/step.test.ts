import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../src/datasets/contracts.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import type { Segmentor } from "../../src/models/segmentor.ts";
import { BatchNorm2d } from "../../src/nn/batch_norm.ts";
import { createRegistry } from "../../src/builtin.ts";
import { TrainingStep } from "../../src/training/step.ts";
import { useEngine } from "../helpers/engine.ts";
import {
  assignRecipe,
  fixturePath,
  inMemoryOrder,
  readFixture,
  recipe,
  stored,
} from "../helpers/fixtures.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";
import { trainableParameters } from "../../src/training/initial_weights.ts";

// Whole updates: accumulation, clipping, frozen stages and the optimiser together (test/fixtures/steps.py).

beforeAll(() => useEngine());

const [height, width] = [64, 96];
const classes = 3;

function build(backbone: object, dropout = 0): Segmentor {
  const components = componentsWith();
  const model = resolvedModel(components, {
    backbone: { type: "resnet", depth: 18, stem: "v1", base_channels: 4, output_stride: 8, ...backbone },
    neck: { type: "addition", channels: 4 },
    head: { type: "ppm", context: { type: "ppm", channels: 4, bins: [1, 2] }, dropout },
    auxiliary_head: {
      type: "fcn",
      level: 3,
      channels: 4,
      dropout,
      losses: [{ type: "cross_entropy", weight: 0.4 }],
    },
  });
  const segmentor = buildSegmentor(model, { numClasses: classes, ignoreIndex: 255 }, components);
  assignRecipe(segmentor);
  return segmentor;
}

/** The fixture's batch of two images; `ignored` is the share of pixels without a label. */
function batch(number: number, ignored: number): Batch {
  const pixels = 2 * height * width;
  const drop = recipe(`ignored.${number}`, pixels, 0, 1);
  const labels = Int32Array.from(recipe(`labels.${number}`, pixels, 0, classes), (value, i) =>
    drop[i]! < Math.fround(ignored) ? 255 : Math.floor(value),
  );
  const images = recipe(`images.${number}`, 3 * pixels, -1, 1);
  return { ids: [`${2 * number}`, `${2 * number + 1}`], height, width, images, labels };
}

async function update(
  segmentor: Segmentor,
  batches: readonly Batch[],
  options: { accumulate: number; clipNorm: number | null },
): Promise<void> {
  const registry = createRegistry();
  const parameters = trainableParameters(segmentor);
  const sgd = { momentum: 0.9, nesterov: false, weight_decay: 1e-3, norm_bias_decay: true, paramwise: [] };
  const optimizer = registry.get("optimizer", "sgd").create(sgd, { parameters });
  const schedule = { iterations: 9, warmup: { iterations: 0, ratio: 0.1 } };
  const step = new TrainingStep({
    segmentor,
    parameters,
    optimizer,
    schedule: registry.get("schedule", "constant").create(schedule),
    baseLr: 1e-2,
    seed: 0,
    ...options,
  });
  const queue = [...batches];
  for (let t = 0; queue.length > 0; t++)
    await step.run(
      t,
      () => Promise.resolve(queue.shift()!),
      () => Promise.resolve(),
    );
  optimizer.dispose();
}

function valuesOf(segmentor: Segmentor): Map<string, Float32Array> {
  return new Map(
    [...segmentor.namedParameters()].map(([name, { variable }]) => [
      name,
      Float32Array.from(variable.dataSync()),
    ]),
  );
}

const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, x) => sum + x * x, 0));

describe("updates of accumulated batches", () => {
  it.each([false, true])("equal PyTorch's, clipped and with frozen stages (with_cp: %s)", async (with_cp) => {
    const fixture = readFixture(fixturePath("steps.safetensors"));
    const float32 = JSON.parse(fixture.metadata.float32_error!) as Record<string, number>;
    const segmentor = build({ frozen_stages: 1, with_cp });
    const start = valuesOf(segmentor);
    const batches = [0, 1, 2, 3, 4, 5].map((n) => batch(n, 0.15 * (n + 1)));
    await update(segmentor, batches, { accumulate: 2, clipNorm: 1.5 });
    const after = valuesOf(segmentor);
    const wrong: string[] = [];
    for (const [name, { layout }] of segmentor.namedParameters()) {
      const expected = inMemoryOrder(stored(fixture, `change.${name}`), layout).values;
      const [a, b] = [after.get(name)!, start.get(name)!];
      const size = norm(expected);
      const error = norm(expected.map((change, i) => a[i]! - b[i]! - change));
      // Frozen weights and statistics: not one bit. Else PyTorch's own float32 is the yardstick; the floor is
      // what rounding the weights themselves costs.
      const floor = 1e-6 * norm(b);
      if (error > (size === 0 ? 0 : Math.max(1e-3, 10 * float32[name]!) * size + floor))
        wrong.push(`${name}: ${error / size}`);
    }
    expect(wrong).toEqual([]);
    segmentor.dispose();
  });

  it("equal those of one large batch where no layer looks at the batch, dropout included", async () => {
    const [large, small] = [build({}, 0.3), build({}, 0.3)];
    for (const segmentor of [large, small])
      for (const [, module] of segmentor.namedModules())
        if (module instanceof BatchNorm2d) module.frozenStatistics = true;
    const halves = [0, 1, 2, 3].map((n) => batch(n, 0));
    const whole = [0, 2].map((n): Batch => {
      const [a, b] = [halves[n]!, halves[n + 1]!];
      const images = Float32Array.from([...a.images, ...b.images]);
      const labels = Int32Array.from([...a.labels, ...b.labels]);
      return { ids: [...a.ids, ...b.ids], height, width, images, labels };
    });
    await update(small, halves, { accumulate: 2, clipNorm: null });
    await update(large, whole, { accumulate: 1, clipNorm: null });
    const expected = valuesOf(large);
    for (const [name, values] of valuesOf(small)) {
      const other = expected.get(name)!;
      expect(norm(values.map((x, i) => x - other[i]!)), name).toBeLessThan(1e-5 * norm(other) + 1e-7);
    }
    for (const segmentor of [large, small]) segmentor.dispose();
  });

  it("keep no tensors", async () => {
    const before = tf.memory().numTensors;
    const segmentor = build({ with_cp: true });
    await update(segmentor, [batch(0, 0), batch(1, 0.5)], { accumulate: 2, clipNorm: 1 });
    segmentor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
