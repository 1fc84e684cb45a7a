import type { Static, TObject } from "typebox";
import { describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { NetworkContext } from "../../src/nn/index.ts";
import { Files, small } from "../config/files.ts";
import { componentsWith, resolved } from "../helpers/network.ts";

// Numbers are compared with PyTorch in test/models/fusion_parity.test.ts and segmentor.test.ts.

const components = componentsWith();
const levels = [4, 8, 8, 8].map((stride, l) => ({ channels: 2 + l, stride }));

function makeHead(type: string, fused: number, context: number | null = 512, more: object = {}) {
  const network = new NetworkContext({ alignCorners: false });
  const options = resolved(components, "head", { type, ...more }) as unknown as Static<TObject>;
  return components.get("head", type).create(
    options,
    {
      levels,
      fused: Array.from({ length: fused }, (_, i) => ({ channels: 8, stride: i === 0 ? 4 : 8 })),
      context: context === null ? null : { channels: context, stride: 8 },
      numClasses: 3,
    },
    network,
  );
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

describe("heads", () => {
  it("have the documented defaults", () => {
    expect(resolved(components, "head", { type: "ppm" })).toEqual({
      type: "ppm",
      context: { type: "ppm", channels: 512, bins: [1, 2, 3, 6] },
      dropout: 0.1,
    });
    expect(resolved(components, "head", { type: "dfp" })).toEqual({
      type: "dfp",
      context: { type: "ppm", channels: 512, bins: [1, 2, 3, 6] },
      dense_channels: 128,
      block: "bottleneck",
      dense_context: true,
      dense_size: "level",
      dropout: 0.1,
    });
    expect(resolved(components, "auxiliary_head", { type: "fcn" })).toEqual({
      type: "fcn",
      level: 3,
      channels: 256,
      dropout: 0.1,
      losses: [{ type: "cross_entropy", weight: 0.4 }],
    });
  });

  it.each([
    ["head.context.bins=[]", "LENGTH"],
    ["head.context.bins=[0]", "RANGE"],
    ["head.context.channels=0", "RANGE"],
    ["head.dropout=1", "RANGE"],
    ["head.dropout=-0.1", "RANGE"],
    ["head.block=wide", "CHOICE"],
    ["auxiliary_head.level=0", "RANGE"],
  ])("refuse options out of range: %s", async (option, code) => {
    const heads = [
      "model.neck.type=gff",
      "model.head={type: dfp, context: {type: ppm}}",
      "model.auxiliary_head={type: fcn}",
    ];
    const loaded = new Files({ "small.yaml": small }).load("small.yaml", {
      set: [...heads, `model.${option}`],
    });
    await expect(loaded).rejects.toMatchObject({ code: `SEGFUSE_CONFIG_${code}` });
  });

  it("take the context beside the fused maps", () => {
    const inChannels = (type: string, fused: number, context: number | null) => {
      const names = new Map(makeHead(type, fused, context).namedParameters());
      return names.get("classifier.weight")!.shape[2];
    };
    expect(inChannels("ppm", 0, 512)).toBe(512);
    expect(inChannels("ppm", 4, 512)).toBe(4 * 8 + 512);
    expect(inChannels("ppm", 4, null)).toBe(4 * 8);
    expect(inChannels("dfp", 4, 512)).toBe(4 * 128 + 512);
    expect(inChannels("dfp", 4, 8)).toBe(4 * 128 + 8);
  });

  it("say where there is no context", () => {
    expect(thrownBy(() => makeHead("ppm", 0, null))).toMatchInlineSnapshot(`
      "SEGFUSE_COMPONENT_OPTIONS: the head 'ppm' has nothing to classify
        at: model.head.context
        expected: a context, or a neck that fuses maps
        found: the context none and the neck none"
    `);
    expect(thrownBy(() => makeHead("dfp", 4, null))).toMatchInlineSnapshot(`
      "SEGFUSE_COMPONENT_OPTIONS: a dense feature pyramid starts from a context map
        at: model.head.context
        expected: a context such as ppm
        found: none
        try: choose a context, or the head ppm"
    `);
  });

  it("say where a neck does not fit", () => {
    expect(thrownBy(() => makeHead("dfp", 0))).toMatchInlineSnapshot(`
      "SEGFUSE_HEAD_NEEDS_PYRAMID: a dense feature pyramid needs a map of every level
        at: model.head.type
        expected: a neck with one fused map for each of the 4 levels: gff, fpn or gated_fpn
        found: a neck with no fused map
        try: choose such a neck, or the head ppm"
    `);
    expect(thrownBy(() => makeHead("dfp", 1))).toContain("found: a neck with one fused map");
  });

  it("say where an auxiliary head's level is not there", () => {
    const make = (level: number) => {
      const options = resolved(components, "auxiliary_head", {
        type: "fcn",
        level,
      }) as unknown as Static<TObject>;
      const network = new NetworkContext({ alignCorners: false });
      return components.get("auxiliary_head", "fcn").create(options, { levels, numClasses: 3 }, network);
    };
    expect(new Map(make(4).namedParameters()).get("convs.0.conv.weight")!.shape[2]).toBe(5);
    expect(thrownBy(() => make(5))).toMatchInlineSnapshot(`
      "SEGFUSE_AUXILIARY_LEVEL: an auxiliary head sees a level that is not there
        at: model.auxiliary_head.level
        expected: 1 to 4, the backbone's levels
        found: 5"
    `);
  });
});
