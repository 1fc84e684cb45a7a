import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { readdirSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Static, TObject } from "typebox";
import type { ContextModule } from "../../src/contexts/contracts.ts";
import type { Head } from "../../src/heads/contracts.ts";
import { headMaps } from "../../src/models/head_maps.ts";
import { makeComponent } from "../../src/registry/make.ts";
import type { Neck } from "../../src/necks/contracts.ts";
import { Module, NetworkContext, Parameter, zeros } from "../../src/nn/index.ts";
import type { ComponentConfig } from "../../src/registry/component_ref.ts";
import { useEngine } from "../helpers/engine.ts";
import {
  assign,
  assignRecipe,
  expectGradients,
  expectMap,
  fixturePath,
  gradientsOf,
  readFixture,
  recipe,
  stored,
} from "../helpers/fixtures.ts";
import { componentsWith, resolved, withContext } from "../helpers/network.ts";

// Context, necks and heads against PyTorch (test/fixtures/make_fusion.py).

interface Case {
  sizes: "stride8" | "stride32";
  align_corners: boolean;
  training: boolean;
  neck: ComponentConfig;
  head: ComponentConfig;
}

const batch = 3;
const numClasses = 3;
const channels = [3, 4, 5, 6];
const sizes = {
  stride32: [
    [9, 13],
    [5, 7],
    [3, 4],
    [2, 2],
  ],
  stride8: [
    [8, 12],
    [4, 6],
    [4, 6],
    [4, 6],
  ],
} as const;

/** Backbone levels as parameters, so that their gradients are compared like all others, and what comes after. */
class Fusion extends Module {
  readonly levels: Parameter[];
  readonly neck: Neck;
  readonly head: Head;
  readonly network: NetworkContext;
  private readonly contextModule: () => ContextModule | null;

  constructor(options: Case) {
    super();
    const components = componentsWith();
    const context = new NetworkContext({ alignCorners: options.align_corners });
    context.training = options.training;
    this.network = context;
    const levels = channels.map((count, l) => ({ channels: count, stride: [4, 8, 16, 32][l]! }));
    this.levels = levels.map((level, l) => {
      const shape = [batch, ...sizes[options.sizes][l]!, level.channels];
      return new Parameter({ shape, role: "weight", initialiser: zeros });
    });
    const { context: slot, ...headOptions } = resolved(components, "head", {
      ...withContext(options.head),
      dropout: 0,
    });
    const neckOptions = resolved(components, "neck", {
      ...(options.neck.type === "none" ? {} : { channels: 4 }),
      ...options.neck,
    }) as unknown as Static<TObject>;
    const contextModule = makeComponent(components, "context", slot as ComponentConfig, { levels }, context);
    const seen = contextModule?.output ?? null;
    this.neck = components
      .get("neck", options.neck.type)
      .create(neckOptions, { levels, context: seen }, context);
    const shown = headMaps(this.neck, this.neck.outputs, seen);
    this.head = components
      .get("head", options.head.type)
      .create(headOptions, { levels, ...shown, numClasses }, context);
    this.head.context = contextModule;
    this.contextModule = () => this.head.context;
    assignRecipe(this);
    for (const [l, level] of this.levels.entries()) {
      const values = recipe(`levels.${l}`, level.size, -1, 1);
      assign(level, `levels.${l}`, { shape: [...level.shape], values });
    }
  }

  private inputs() {
    const levels = this.levels.map((level) => level.value<Tensor4D>());
    return { levels, context: this.contextModule()?.forward(levels) ?? null };
  }

  forward(closedGates: number[] = []): Tensor4D {
    const inputs = this.inputs();
    const outputs = this.neck.forward({ ...inputs, closedGates });
    return this.head.forward({ levels: inputs.levels, ...headMaps(this.neck, outputs, inputs.context) });
  }

  gateMaps(): Tensor4D[] {
    return this.neck.gateMaps(this.inputs());
  }
}

function cotangent(shape: readonly number[]): Tensor4D {
  const [n, h, w, c] = shape as [number, number, number, number];
  const values = recipe("cotangent", n * h * w * c, -1, 1);
  return tf.transpose(tf.tensor4d(values, [n, c, h, w]), [0, 2, 3, 1]);
}

const names = readdirSync(fixturePath("fusion"))
  .filter((file) => !file.startsWith("segmentor"))
  .map((file) => file.replace(".safetensors", ""));

describe("context, neck and head", () => {
  beforeAll(() => useEngine());
  beforeAll(() => tf.engine().startScope());
  afterEach(() => {
    tf.engine().endScope();
    tf.engine().startScope();
  });

  it("have a fixture for every row of the paper's tables", () => {
    const rows = [
      "none",
      "concat",
      "addition",
      "fpn",
      "gated_fpn",
      "gff",
      "fpn_dfp",
      "gated_fpn_dfp",
      "gff_dfp",
    ];
    expect(rows.filter((row) => !names.some((name) => name.startsWith(`${row}.`)))).toEqual([]);
  });

  it.each(names)("give PyTorch's logits, gates and gradients: %s", (name) => {
    const fixture = readFixture(fixturePath(`fusion/${name}.safetensors`));
    const fusion = new Fusion(JSON.parse(fixture.metadata.case!) as Case);
    // Without a neck the finer levels have no gradient.
    for (const [l, level] of fusion.levels.entries())
      level.trainable = fixture.tensors.has(`grad.levels.${l}`);
    const trained = [...fusion.namedParameters()].filter(([, parameter]) => parameter.trainable);
    const inFixture = [...fixture.tensors.keys()].filter((key) => key.startsWith("grad."));
    expect(trained.map(([key]) => `grad.${key}`).sort()).toEqual(inFixture.sort());

    expectMap(fusion.forward(), stored(fixture, "logits"), 1e-4, "logits");
    for (const [i, gate] of fusion.gateMaps().entries()) {
      expectMap(gate, stored(fixture, `gates.${i}`), 1e-5, `gate ${i}`);
      const closed = fixture.tensors.get(`closed.${i}`);
      if (closed !== undefined) expectMap(fusion.forward([i]), closed, 1e-4, `logits without gate ${i}`);
    }
    const loss = () => {
      const logits = fusion.forward();
      return tf.sum(tf.mul(logits, cotangent(logits.shape))).asScalar();
    };
    expectGradients(fusion, gradientsOf(fusion, loss), fixture);
  });

  it.each(["gff.a", "gff.b", "fpn.b", "gff_dfp.a", "gff_dfp.b"])("compute the same literally: %s", (name) => {
    const fixture = readFixture(fixturePath(`fusion/${name}.safetensors`));
    const fusion = new Fusion(JSON.parse(fixture.metadata.case!) as Case);
    fusion.network.literal = true;
    expectMap(fusion.forward(), stored(fixture, "logits"), 1e-4, "logits");
  });
});
