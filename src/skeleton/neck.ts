// What `segfuse new neck NAME` writes: a neck that works, what a comparison with gated fully fusion needs, and a test.
// The network and the data are small, so that the study ends in minutes on two cores.

/** What a neck, its row and its files may be called. */
export const skeletonName = /^[a-z][a-z0-9_]*$/;

/**
 * The files of a new neck.
 *
 * @param type the neck's type, of {@link skeletonName}'s form
 * @returns text by file name
 */
export function neckSkeleton(type: string): ReadonlyMap<string, string> {
  return new Map([
    [`${type}.ts`, neck(type)],
    [`${type}.yaml`, row(type)],
    ["gff.yaml", reference],
    ["base.yaml", base],
    ["study.yaml", study(type)],
    [`${type}.test.ts`, test(type)],
  ]);
}

const neck = (
  type: string,
) => `import { composeNeck, convBnRelu, defineNeck, sumResized, tf, Type } from "segfuse";

/** Fuses the backbone's levels X_1 … X_4, finest first: their mean at the finest one's size, then a 3×3 convolution. */
export default defineNeck({
  type: "${type}",
  description: "the mean of all levels at the finest size",
  schema: Type.Object({
    channels: Type.Integer({ minimum: 1, default: 32, description: "channels that every level is reduced to" }),
  }),
  create({ channels }, { levels }, context) {
    const reduce = levels.map((level) => convBnRelu(context, { kernel: 1, in: level.channels, out: channels }));
    const refine = convBnRelu(context, { kernel: 3, in: channels, out: channels });
    return composeNeck({
      // A checkpoint names the weights after these: neck.reduce.0.conv.weight, …
      modules: { reduce, refine },
      outputs: [{ channels, stride: levels[0]!.stride }],
      // Maps are [batch, height, width, channels].
      forward(tensors) {
        const maps = reduce.map((conv, l) => conv.forward(tensors.levels[l]!));
        const [, height, width] = maps[0]!.shape;
        const mean = tf.div<tf.Tensor4D>(sumResized(maps, [height, width], context), maps.length);
        return [refine.forward(mean)];
      },
    });
  },
});
`;

const row = (type: string) => `_base_: base.yaml

plugins: [./${type}.ts]
model: {neck: {type: ${type}, channels: 32}}
`;

const reference = `# What the neck is compared with.
_base_: base.yaml

model: {neck: {type: gff, channels: 32, refine_convs: 1}}
`;

const base = `# What the rows share: all but the neck. Drawn street scenes, so there is nothing to download.
model:
  backbone: {type: resnet, depth: 18, stem: v1, base_channels: 8, output_stride: 8}
  head: {type: ppm, context: {channels: 32}}
data:
  dataset: {type: synthetic_streets, train_size: 200, val_size: 20, test_size: 20}
  batch_size: 4
  crop_size: [96, 96]
  train: {transforms: [{type: random_crop}, {type: random_flip}]}
  test: {split: test}
optimizer: {type: sgd, lr: 0.05}
schedule: {type: poly, iterations: 100}
evaluation: {interval: 100000, mode: whole} # none during training: the study evaluates each row when it is trained
checkpoint: {interval: 100, keep_last: 1}
`;

const study = (type: string) => `title: ${type} against gated fully fusion
metric: mIoU
baseline: gff
rows:
  - {name: gff, label: GFF, config: gff.yaml}
  - {name: ${type}, label: ${type}, config: ${type}.yaml}
`;

const test = (type: string) => `import { fileURLToPath } from "node:url";
import { build, loadConfig, tf } from "segfuse";
import { expect, it } from "vitest";

const config = fileURLToPath(new URL("${type}.yaml", import.meta.url));

it("fits its network, and every one of its weights learns", { timeout: 120_000 }, async () => {
  const network = await build(await loadConfig(config), { classes: 4 });
  const images = tf.randomNormal<tf.Rank.R4>([2, 64, 96, 3], 0, 1, "float32", 1);
  expect(network.forward(images).shape).toEqual([2, 64, 96, 4]);

  const labels = tf.cast<tf.Tensor3D>(tf.randomUniform([2, 64, 96], 0, 4, "float32", 2), "int32");
  network.context.training = true;
  const parameters = [...network.neck.namedParameters()].filter(([, parameter]) => parameter.trainable);
  const variables = parameters.map(([, parameter]) => parameter.variable);
  const { grads } = tf.variableGrads(() => network.loss(images, labels).total, variables);
  for (const [name, { variable }] of parameters) {
    const largest = tf.max(tf.abs(grads[variable.name]!)).dataSync()[0];
    expect(largest, name).toBeGreaterThan(0);
  }
  network.dispose();
});
`;
