import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import type { LevelInfo } from "../../src/models/backbones/contracts.ts";
import type { Neck } from "../../src/necks/contracts.ts";
import { materialise, NetworkContext, sumOfOthers, sumResized } from "../../src/nn/index.ts";
import { necks } from "../../src/necks/index.ts";
import { Files, small } from "../config/files.ts";
import { useEngine } from "../helpers/engine.ts";
import { recipe } from "../helpers/fixtures.ts";
import { componentsWith, resolved } from "../helpers/network.ts";
import type { Size } from "../../src/util/size.ts";

// Numbers are compared with PyTorch in test/models/fusion_parity.test.ts.

const components = componentsWith();
const levels: LevelInfo[] = [4, 8, 8, 8].map((stride, l) => ({ channels: 2 + l, stride }));
const contextInfo: LevelInfo = { channels: 7, stride: 8 };

function make(
  type: string,
  options: Record<string, unknown> = {},
  context: LevelInfo | null = contextInfo,
): Neck {
  const full = resolved(components, "neck", { type, ...options }) as unknown as Static<TObject>;
  return components
    .get("neck", type)
    .create(full, { levels, context }, new NetworkContext({ alignCorners: false }));
}

function map(name: string, [height, width]: Size, channels: number): Tensor4D {
  return tf.tensor4d(recipe(name, 2 * height * width * channels, -1, 1), [2, height, width, channels]);
}

function inputs() {
  const sizes: Size[] = [
    [7, 9],
    [4, 5],
    [4, 5],
    [4, 5],
  ];
  return {
    levels: sizes.map((size, l) => map(`x${l}`, size, levels[l]!.channels)),
    context: map("c", [4, 5], contextInfo.channels),
  };
}

function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SegfuseError) return error.report();
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("necks", () => {
  beforeAll(() => useEngine());
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it("say what they make, and make it", () => {
    const lines = necks.map(({ type }) => {
      const neck = make(type, type === "none" ? {} : { channels: 3 });
      materialise(neck, 0);
      const maps = neck.forward(inputs());
      expect(maps.map((fused) => fused.shape[3])).toEqual(neck.outputs.map(({ channels }) => channels));
      for (const [i, { stride }] of neck.outputs.entries()) {
        expect(maps[i]!.shape.slice(1, 3)).toEqual(stride === 4 ? [7, 9] : [4, 5]);
      }
      const flags = `${neck.usesContext ? "context" : "-"} ${neck.isPyramid ? "pyramid" : "-"}`;
      return `${type}: strides ${neck.outputs.map(({ stride }) => stride).join(" ") || "-"}, ${flags}, ${neck.gateMaps(inputs()).length} gates`;
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "none: strides -, - -, 0 gates",
        "concat: strides 4, - -, 0 gates",
        "addition: strides 4, - -, 0 gates",
        "fpn: strides 4 8 8 8 8, context pyramid, 0 gates",
        "gated_fpn: strides 4 8 8 8 8, context pyramid, 5 gates",
        "gff: strides 4 8 8 8, - pyramid, 4 gates",
      ]
    `);
  });

  it("have the documented defaults", () => {
    expect(resolved(components, "neck", { type: "gff" })).toEqual({
      type: "gff",
      channels: 256,
      refine_convs: 2,
      gate_channels: 1,
      gate_input: "reduced",
    });
  });

  it.each([
    ["channels=0", "RANGE"],
    ["refine_convs=-1", "RANGE"],
    ["refine_convs=1.5", "TYPE"],
    ["gate_channels=0", "RANGE"],
    ["gate_input=both", "CHOICE"],
  ])("refuse options out of range: %s", async (option, code) => {
    const set = ["model.neck.type=gff", `model.neck.${option}`];
    const loaded = new Files({ "small.yaml": small }).load("small.yaml", { set });
    await expect(loaded).rejects.toMatchObject({ code: `SEGFUSE_CONFIG_${code}` });
  });

  it("start with half-open gates", () => {
    for (const type of ["gff", "gated_fpn"]) {
      const neck = make(type, { channels: 8 });
      materialise(neck, 0);
      for (const gate of neck.gateMaps(inputs())) {
        for (const value of gate.dataSync()) expect(Math.abs(value - 0.5)).toBeLessThan(0.1);
      }
    }
  });

  it("pass a level on unfused where all gates are shut", () => {
    const neck = make("gff", { channels: 3, refine_convs: 0 });
    materialise(neck, 0);
    const closed = neck.forward({ ...inputs(), closedGates: [0, 1, 2, 3] });
    const receivers = neck.forward({ ...inputs(), closedGates: [1, 2, 3] });
    // With every other gate shut nothing arrives at level 0, and an open gate adds its own share once more.
    const [gate] = neck.gateMaps(inputs());
    const expected = tf.mul<Tensor4D>(tf.add(1, gate!), closed[0]!);
    expect(Math.max(...tf.abs(tf.sub(receivers[0]!, expected)).dataSync())).toBeLessThan(1e-6);
  });

  it("that fuse the context say so where a head has none", () => {
    expect(thrownBy(() => make("fpn", {}, null))).toMatchInlineSnapshot(`
      "SEGFUSE_NECK_NEEDS_CONTEXT: the neck 'fpn' starts from a context map
        at: model.neck
        expected: a context map: model.head.context of another type than none, such as ppm
        found: none"
    `);
    expect(thrownBy(() => make("gated_fpn", {}, null))).toContain("SEGFUSE_NECK_NEEDS_CONTEXT");
  });

  it("refuse gates that do not broadcast", () => {
    expect(thrownBy(() => make("gff", { channels: 8, gate_channels: 3 }))).toMatchInlineSnapshot(`
      "SEGFUSE_GATE_CHANNELS: gates do not fit the maps they are for
        at: model.neck.gate_channels
        expected: 1 or 8 (the neck's channels)
        found: 3"
    `);
  });

  it("add maps term by term or by size alike", () => {
    const sizes: Size[] = [
      [7, 9],
      [4, 5],
      [4, 5],
      [2, 3],
    ];
    const maps = sizes.map((size, i) => map(`m${i}`, size, 2));
    for (const alignCorners of [false, true]) {
      const context = new NetworkContext({ alignCorners });
      const up = (x: Tensor4D, size: Size) =>
        tf.image.resizeBilinear(x, [...size], alignCorners, !alignCorners);
      const others = sumOfOthers(maps, context);
      for (const [l, size] of sizes.entries()) {
        const sent = maps.filter((_, i) => i !== l).map((x) => up(x, size));
        expect(Math.max(...tf.abs(tf.sub(others[l]!, tf.addN(sent))).dataSync())).toBeLessThan(1e-5);
        const all = tf.addN(maps.map((x) => up(x, size)));
        expect(Math.max(...tf.abs(tf.sub(sumResized(maps, size, context), all)).dataSync())).toBeLessThan(
          1e-5,
        );
      }
    }
  });
});
