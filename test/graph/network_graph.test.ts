import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/index.ts";
import { mermaidGraph, type NetworkGraph, svgGraph } from "../../src/graph/index.ts";
import { createRegistry } from "../../src/builtin.ts";
import { configGraph } from "../../src/runners/graph.ts";
import { Files } from "../config/files.ts";

const registry = createRegistry();
const configs = fileURLToPath(new URL("../../configs/", import.meta.url));

async function graphOf(config: string, set: readonly string[] = []): Promise<NetworkGraph> {
  const loaded = await loadConfig(`${configs}${config}.yaml`, { registry, set, allowUnsetEnv: true });
  return configGraph(loaded, registry, [512, 512]);
}

/** What flows into each node, by name. */
const into = ({ edges }: NetworkGraph, id: string) =>
  edges.filter(({ to }) => to === id).map(({ from }) => from);

/** As `into`, through fusions to the modules before them. */
const behind = (graph: NetworkGraph, id: string): string[] =>
  into(graph, id).flatMap((from) => (from.startsWith("fusion.") ? behind(graph, from) : [from]));

const levels = [0, 1, 2, 3];
const named = (name: string) => levels.map((l) => `neck.${name}.${l}`);

describe("edges follow the data", () => {
  it("through backbone, context and heads", async () => {
    const graph = await graphOf("table1/pspnet");
    expect(graph.edges.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      "images → backbone.stem",
      "backbone.stem → backbone.layer1",
      "backbone.layer1 → backbone.layer2",
      "backbone.layer2 → backbone.layer3",
      "backbone.layer3 → backbone.layer4",
      "backbone.layer4 → head.context",
      "head.context → head.classifier",
      "head.classifier → logits",
      "backbone.layer3 → auxiliary_head",
      "auxiliary_head → auxiliary_logits",
    ]);
    const shapes = Object.fromEntries(graph.nodes.map(({ id, shape }) => [id, shape]));
    expect(shapes).toMatchObject({
      images: [512, 512, 3],
      "backbone.stem": [128, 128, 64],
      "backbone.layer1": [128, 128, 256],
      "backbone.layer4": [64, 64, 2048],
      "head.context": [64, 64, 512],
      "head.classifier": [64, 64, 19],
      logits: [512, 512, 19],
    });
  });

  it("gff: every level sees every level and every gate (Eq. 5)", async () => {
    const graph = await graphOf("table1/gff");
    for (const l of levels) {
      expect(into(graph, `neck.gates.${l}`)).toEqual([`neck.reduce.${l}`]);
      expect(behind(graph, `neck.refine.${l}`).sort()).toEqual([...named("gates"), ...named("reduce")]);
    }
  });

  it("fpn: a level sees its own map and what the level above made (Eq. 4)", async () => {
    const graph = await graphOf("table1/fpn");
    expect(behind(graph, "neck.refine.3").sort()).toEqual(["neck.reduce.3", "neck.reduce.4"]);
    expect(behind(graph, "neck.refine.0").sort()).toEqual([...named("reduce"), "neck.reduce.4"]);
    expect(into(graph, "neck.reduce.4")).toEqual(["head.context"]);
  });

  it("gated_fpn: a level sees no finer one", async () => {
    const graph = await graphOf("table1/gated_fpn");
    const seen = new Set(behind(graph, "neck.refine.2"));
    expect(seen).toContain("neck.gates.2");
    expect(seen).toContain("neck.reduce.3");
    expect(seen).not.toContain("neck.reduce.1");
  });

  it.each(["addition", "concat"])("%s: all levels come together", async (name) => {
    const graph = await graphOf(`table1/${name}`);
    const reductions = named("reduce").filter((id) => graph.nodes.some((node) => node.id === id));
    const maps = reductions.length > 0 ? reductions : levels.map((l) => `backbone.layer${l + 1}`);
    const meeting = graph.nodes.filter(({ id }) => maps.every((map) => behind(graph, id).includes(map)));
    expect(meeting.length).toBeGreaterThan(0);
  });

  it("dfp: a block sees the context, all coarser blocks and its own level (3.3)", async () => {
    const graph = await graphOf("table2/gff_dfp");
    expect(into(graph, "head.dense.1").sort()).toEqual([
      "head.context",
      "head.dense.2",
      "head.dense.3",
      "neck.refine.1",
    ]);
    expect(into(graph, "head.classifier").sort()).toEqual([
      "head.context",
      ...levels.map((l) => `head.dense.${l}`),
    ]);
  });

  it("a plug-in's neck that ends in arithmetic: that is the neck's, not the head's", async () => {
    const files = new Files({
      "sum.mjs": `import { defineNeck, Neck, Type } from "segfuse";
import * as tf from "@tensorflow/tfjs";
class Sum extends Neck {
  usesContext = false;
  isPyramid = false;
  constructor(levels, context) {
    super();
    this.outputs = [levels[2]];
    this.context = context;
  }
  forward({ levels }) {
    return [tf.add(levels[2], tf.mean(levels[3]))];
  }
}
export default defineNeck({
  type: "sum", description: "of two levels", schema: Type.Object({}),
  create: (options, { levels }, context) => new Sum(levels, context),
});
`,
      "c.yaml": `_base_: ${configs}table1/pspnet.yaml
plugins: [./sum.mjs]
model: {neck: {type: sum}}
`,
    });
    const own = createRegistry();
    const loaded = await loadConfig(files.path("c.yaml"), { registry: own, allowUnsetEnv: true });
    const graph = await configGraph(loaded, own, [512, 512]);
    const [fusion, ...others] = graph.nodes.filter(({ kind }) => kind === "fusion");
    expect(others).toEqual([]);
    expect(fusion).toMatchObject({ part: "neck", detail: "+", shape: [64, 64, 1024] });
    expect(into(graph, fusion!.id).sort()).toEqual(["backbone.layer3", "backbone.layer4"]);
    expect(into(graph, "head.classifier").sort()).toEqual([fusion!.id, "head.context"]);
  });

  it.each(["table1/gff", "table2/gff_dfp"])(
    "%s: every node lies between images and an output",
    async (name) => {
      const { nodes, edges } = await graphOf(name);
      for (const { id, kind } of nodes) {
        expect(
          edges.some(({ to }) => to === id),
          `into ${id}`,
        ).toBe(kind !== "input");
        expect(
          edges.some(({ from }) => from === id),
          `out of ${id}`,
        ).toBe(kind !== "output");
      }
    },
  );
});

const small = ["model.backbone.depth=18", "model.auxiliary_head=null"];

it("Mermaid", async () => {
  expect(mermaidGraph(await graphOf("table1/addition", small))).toMatchInlineSnapshot(`
    "flowchart TD
      images(["images<br>512×512×3"])
      logits(["logits<br>512×512×19"])
      subgraph part_backbone["backbone"]
        backbone_stem["backbone.stem<br>3×3, 3×3, 3×3 conv<br>128×128×64"]
        backbone_layer1["backbone.layer1<br>4 convolutions<br>128×128×64"]
        backbone_layer2["backbone.layer2<br>5 convolutions<br>64×64×128"]
        backbone_layer3["backbone.layer3<br>5 convolutions<br>64×64×256"]
        backbone_layer4["backbone.layer4<br>5 convolutions<br>64×64×512"]
      end
      subgraph part_head_context["head.context"]
        head_context["head.context<br>5 convolutions<br>64×64×512"]
      end
      subgraph part_neck["neck"]
        neck_reduce_0["neck.reduce.0<br>1×1 conv<br>128×128×256"]
        neck_reduce_1["neck.reduce.1<br>1×1 conv<br>64×64×256"]
        neck_reduce_2["neck.reduce.2<br>1×1 conv<br>64×64×256"]
        neck_reduce_3["neck.reduce.3<br>1×1 conv<br>64×64×256"]
        fusion_110{{"fusion<br>+<br>128×128×256"}}
        neck_refine_0["neck.refine.0<br>3×3, 3×3 conv<br>128×128×256"]
      end
      subgraph part_head["head"]
        head_classifier["head.classifier<br>1×1 conv<br>128×128×19"]
      end
      images --> backbone_stem
      backbone_stem --> backbone_layer1
      backbone_layer1 --> backbone_layer2
      backbone_layer2 --> backbone_layer3
      backbone_layer3 --> backbone_layer4
      backbone_layer4 --> head_context
      backbone_layer1 --> neck_reduce_0
      backbone_layer2 --> neck_reduce_1
      backbone_layer3 --> neck_reduce_2
      backbone_layer4 --> neck_reduce_3
      neck_reduce_0 --> fusion_110
      neck_reduce_1 --> fusion_110
      neck_reduce_2 --> fusion_110
      neck_reduce_3 --> fusion_110
      fusion_110 --> neck_refine_0
      neck_refine_0 --> head_classifier
      head_context --> head_classifier
      head_classifier --> logits
    "
  `);
});

it("SVG: well formed, every node in the picture, for light and dark", async () => {
  const graph = await graphOf("table2/gff_dfp");
  const svg = svgGraph(graph, "a < b & c");
  expect(svg).toContain("<title>a &lt; b &amp; c</title>");
  expect(svg).toContain("prefers-color-scheme:dark");
  // Every tag that opens closes, in order.
  const open: string[] = [];
  for (const [, slash, name, alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (slash === "/") expect(open.pop()).toBe(name);
    else if (alone === "") open.push(name!);
  }
  expect(open).toEqual([]);
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
  const boxes = [...svg.matchAll(/<rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g)];
  expect(boxes).toHaveLength(graph.nodes.length);
  const rectangles = boxes.map(([, ...numbers]) => numbers.map(Number) as [number, number, number, number]);
  for (const [i, [x, y, w, h]] of rectangles.entries()) {
    expect(x >= 0 && y >= 0 && x + w <= Number(width) && y + h <= Number(height)).toBe(true);
    for (const [x2, y2, w2, h2] of rectangles.slice(i + 1)) {
      expect(x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h, "boxes overlap").toBe(false);
    }
  }
});
