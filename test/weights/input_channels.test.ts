import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backbones } from "../../src/models/backbones/index.ts";
import type { Backbone } from "../../src/models/backbones/contracts.ts";
import { materialise, NetworkContext } from "../../src/nn/index.ts";
import { adaptInput } from "../../src/weights/input_channels.ts";
import { toFileOrder } from "../../src/weights/layout.ts";
import { loadWeights, storedTensors, type LoadOptions } from "../../src/weights/load.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { useEngine } from "../helpers/engine.ts";
import { componentsWith, resolved } from "../helpers/network.ts";

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** What test/fixtures/make_input_channels.py wrote. */
const timm = JSON.parse(
  readFileSync(new URL("../fixtures/input_channels.json", import.meta.url), "utf8"),
) as {
  readonly weight: Numbers;
  readonly adapted: Readonly<Record<string, Numbers>>;
};

let folder: string;
beforeAll(async () => {
  await useEngine();
  folder = mkdtempSync(join(tmpdir(), "segfuse-input-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each(Object.entries(timm.adapted))(
  "%s channels as timm.models.adapt_input_conv makes them",
  (channels, { values }) => {
    const adapted = adaptInput(Float32Array.from(timm.weight.values), 2, Number(channels));
    expect(adapted).toEqual(Float32Array.from(values));
  },
);

const context = new NetworkContext({ alignCorners: false });

function backbone(inChannels: number, options: { type: string; [key: string]: unknown }): Backbone {
  const components = componentsWith();
  const { type, ...full } = resolved(components, "backbone", options);
  return components.get("backbone", type).create(full, { inChannels }, context);
}

const variants = [
  ...backbones.map(({ type }) => ({ type })),
  { type: "resnet", depth: 18, stem: "v1" },
  { type: "resnet", depth: 18, stem: "v1c" },
];

it.each(variants)("one parameter of $type sees the image", (options) => {
  const seeing = [...backbone(7, options).namedParameters()].filter(([, { seesImage }]) => seesImage);
  expect(seeing.map(([, { shape }]) => shape[2])).toEqual([7]);
});

describe("a start from weights for RGB", () => {
  const small = { type: "resnet", depth: 18, stem: "v1", base_channels: 4 };
  let file: string;
  let rgb: Backbone;
  beforeAll(async () => {
    file = join(folder, "rgb.safetensors");
    rgb = backbone(3, small);
    materialise(rgb, 1);
    await writeSafetensors(file, Object.fromEntries(await storedTensors(rgb.namedParameters())));
  });

  const load = async (channels: number, options: LoadOptions = {}, from = file) => {
    const module = backbone(channels, small);
    const report = await loadWeights(module, from, { prefix: "backbone", ...options });
    return { module, report };
  };

  /** The first convolution's values, in a file's order. */
  const first = (module: Backbone): Float32Array => {
    const [parameter] = [...module.namedParameters()].map(([, p]) => p);
    return toFileOrder("conv", parameter!.shape, parameter!.variable.dataSync() as Float32Array);
  };

  it("gives a grey network what the grey image three times gives", async () => {
    const { module, report } = await load(1, { adaptsInput: true });
    expect(report.fresh).toEqual([]);
    expect(report.notes).toEqual([
      "backbone.conv1.weight is for RGB, and the network has 1 input channel: the sum over its three, as for a grey image in each of them",
    ]);
    tf.tidy(() => {
      const grey = tf.randomNormal<tf.Rank.R4>([1, 64, 64, 1], 0, 1, "float32", 5);
      const own = module.forward(grey).at(-1)!;
      const theirs = rgb.forward(tf.concat([grey, grey, grey], 3)).at(-1)!;
      expect(tf.max(tf.abs(tf.sub(own, theirs))).dataSync()[0]).toBeLessThan(
        1e-5 * tf.max(theirs).dataSync()[0]!,
      );
    });
  });

  it("takes the three in turn for more bands, and says so", async () => {
    const { module, report } = await load(4, { adaptsInput: true });
    expect(report.notes).toEqual([
      "backbone.conv1.weight is for RGB, and the network has 4 input channels: its three in turn, scaled by 3/4 (timm's rule)",
    ]);
    const [found, from] = [first(module), first(rgb)];
    for (const c of [0, 1, 2, 3]) expect(found[c * 49 + 10]).toBeCloseTo(0.75 * from[(c % 3) * 49 + 10]!, 7);
  });

  it("is never made where a checkpoint of this very network is read", async () => {
    await expect(load(4, { complete: true })).rejects.toMatchObject({ code: "SEGFUSE_WEIGHTS_SHAPE" });
    await expect(load(4)).rejects.toMatchObject({ code: "SEGFUSE_WEIGHTS_SHAPE" });
  });

  it("is not made where allow_fresh names the convolution, or the weights were for other bands", async () => {
    const { report } = await load(4, { adaptsInput: true, allowFresh: ["backbone.conv1.*"] });
    expect(report.fresh).toEqual(["backbone.conv1.weight"]);
    const five = join(folder, "five.safetensors");
    const other = backbone(5, small);
    materialise(other, 1);
    await writeSafetensors(five, Object.fromEntries(await storedTensors(other.namedParameters())));
    await expect(load(4, { adaptsInput: true }, five)).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_SHAPE",
    });
  });
});
