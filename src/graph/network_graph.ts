import { type NetworkPart, type SegmentorNode, traceSegmentor } from "../cost/index.ts";
import type { Segmentor } from "../models/segmentor.ts";

/** A step of a network: a module, or what a neck or head does with several modules' maps. */
export interface GraphNode {
  /** A module's name (`neck.reduce.0`), `images`, `logits`, or `fusion.N` for arithmetic on several maps. */
  readonly id: string;
  readonly kind: "input" | "module" | "fusion" | "output";
  /** null: input and output. */
  readonly part: NetworkPart | null;
  readonly label: string;
  /** What is inside: kernels of convolutions, or the arithmetic; "" where there is nothing to say. */
  readonly detail: string;
  /** Of its result: [height, width, channels]. */
  readonly shape: readonly number[];
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
}

/** The network at the level of modules, in the order in which they run; edges follow the data. */
export interface NetworkGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphOptions {
  /** Of the image, in pixels. */
  readonly height: number;
  readonly width: number;
  /** Default 3. */
  readonly inChannels?: number;
}

/**
 * Draws the graph of a network from its trace, auxiliary heads included: the modules of backbone, context, neck and
 * heads, and between them whatever flows, also in necks that we do not know.
 *
 * @throws SegfuseError as `traceSegmentor`
 */
export function networkGraph(segmentor: Segmentor, options: GraphOptions): NetworkGraph {
  const { nodes } = traceSegmentor(segmentor, { ...options, auxiliary: true });
  return new GraphBuilder(nodes, options).build();
}

/** Operations that finish what the module before them did. */
const continuing = new Set([
  "FusedBatchNorm",
  "MaxPool",
  "AvgPool",
  "Relu",
  "Relu6",
  "Sigmoid",
  "Softmax",
  "Tanh",
]);

/** What is done with several maps, by its sign. Other operations only bring maps to one size or place. */
const signs: Readonly<Record<string, string>> = {
  Add: "+",
  AddV2: "+",
  AddN: "+",
  Sub: "−",
  Multiply: "×",
  RealDiv: "÷",
  Maximum: "max",
  Minimum: "min",
  Softmax: "softmax",
  BatchMatMul: "matrix product",
  Einsum: "einsum",
};

/** The module that a drawing shows for an operation: null for what a part does outside of its modules. */
export function shownModule(path: string, part: NetworkPart | null): string | null {
  if (part === null || path === "") return null;
  if (part === "head.context") return part;
  const inside = path.slice(part.length + 1).split(".");
  if (part === "auxiliary_head") return /^\d+$/.test(inside[0]!) ? `${part}.${inside[0]!}` : part;
  if (inside[0] === "") return null;
  const numbered = part !== "backbone" && inside[1] !== undefined && /^\d+$/.test(inside[1]);
  return [part, ...inside.slice(0, numbered ? 2 : 1)].join(".");
}

class GraphBuilder {
  private readonly nodes = new Map<string, GraphNode>();
  private readonly edges = new Map<string, GraphEdge>();
  /** By operation: the module that shows it. */
  private readonly modules: (string | null)[] = [];
  /** Operations whose result a module, or another part of the network, takes. */
  private readonly handedOn: ReadonlySet<number>;

  constructor(
    private readonly trace: readonly SegmentorNode[],
    private readonly image: GraphOptions,
  ) {
    for (const node of trace) this.modules.push(this.moduleOf(node));
    this.handedOn = new Set(
      trace.flatMap((node) =>
        producers(node).filter((id) => this.modules[node.id] !== null || trace[id]!.part !== node.part),
      ),
    );
  }

  build(): NetworkGraph {
    const { height, width, inChannels = 3 } = this.image;
    const shape = [height, width, inChannels];
    this.nodes.set("images", {
      id: "images",
      kind: "input",
      part: null,
      label: "images",
      detail: "",
      shape,
    });
    const used = new Set(this.trace.flatMap((node) => producers(node)));
    for (const node of this.trace) {
      const module = this.modules[node.id]!;
      if (module !== null) this.addModule(module, node);
      // What is handed on comes before those who take it, so that nodes are in running order.
      else if (this.handedOn.has(node.id)) this.sourcesOf(node.id);
      if (!used.has(node.id)) this.addOutput(node);
    }
    return { nodes: [...this.nodes.values()], edges: [...this.edges.values()] };
  }

  private moduleOf(node: SegmentorNode): string | null {
    const own = shownModule(node.path, node.part);
    if (!continuing.has(node.op)) return own;
    const before = producers(node).map((id) => this.modules[id]!);
    const [only] = before;
    const inPart = before.length === 1 && only != null && this.trace[producers(node)[0]!]!.part === node.part;
    return inPart ? only : own;
  }

  private addModule(id: string, node: SegmentorNode): void {
    const before = this.nodes.get(id);
    const details = [...(before?.detail.split(", ") ?? []), ...kernelOf(node)].filter((text) => text !== "");
    this.nodes.set(id, {
      id,
      kind: "module",
      part: node.part,
      label: id,
      detail: details.join(", "),
      shape: mapShape(node),
    });
    for (const source of this.inputsOf(node)) if (source !== id) this.connect(source, id);
  }

  private addOutput(node: SegmentorNode): void {
    const stem = node.part === "auxiliary_head" ? "auxiliary_logits" : "logits";
    const taken = [...this.nodes.keys()].filter((id) => id === stem || id.startsWith(`${stem}_`)).length;
    const id = taken === 0 ? stem : `${stem}_${taken}`;
    const shape = mapShape(node);
    const sources = this.sourcesOf(node.id);
    this.nodes.set(id, {
      id,
      kind: "output",
      part: null,
      label: id.replaceAll("_", " "),
      detail: "",
      shape,
    });
    for (const source of sources) this.connect(source, id);
  }

  private connect(from: string, to: string): void {
    this.edges.set(`${from} ${to}`, { from, to });
  }

  private inputsOf(node: SegmentorNode): string[] {
    const inputs = node.inputs.some(({ source }) => source.kind === "input") ? ["images"] : [];
    return [...new Set([...inputs, ...producers(node).flatMap((id) => this.sourcesOf(id))])];
  }

  /**
   * The drawn nodes that an operation's result is made of: its module; of an operation outside of all modules, those
   * whose maps it brings together, or, where it calculates with several maps, a fusion of its own.
   */
  private sourcesOf(id: number): string[] {
    const module = this.modules[id]!;
    if (module !== null) return [module];
    const fusion = `fusion.${id}`;
    if (this.nodes.has(fusion)) return [fusion];
    const { sources, operations } = this.behind(id);
    if (sources.length < 2 || operations.length === 0) return sources;
    const node = this.trace[id]!;
    this.nodes.set(fusion, {
      id: fusion,
      kind: "fusion",
      part: node.part,
      label: "fusion",
      detail: operations.join(" "),
      shape: mapShape(node),
    });
    for (const source of sources) this.connect(source, fusion);
    return [fusion];
  }

  /** Goes back from an operation outside of all modules to the nodes before it, and notes the arithmetic on the way. */
  private behind(id: number): { sources: string[]; operations: string[] } {
    const sources = new Set<string>();
    const operations = new Set<string>();
    const seen = new Set<number>();
    const visit = (at: number): void => {
      if (seen.has(at)) return;
      seen.add(at);
      const node = this.trace[at]!;
      // A result that a module takes as well has a node of its own.
      if (at !== id && (this.modules[at] !== null || this.handedOn.has(at))) {
        for (const source of this.sourcesOf(at)) sources.add(source);
        return;
      }
      const sign = signs[node.op];
      if (sign !== undefined) operations.add(sign);
      if (node.inputs.some(({ source }) => source.kind === "input")) sources.add("images");
      for (const producer of producers(node)) visit(producer);
    };
    visit(id);
    return { sources: [...sources], operations: [...operations].sort() };
  }
}

/** The operations whose results an operation reads. */
function producers(node: SegmentorNode): number[] {
  return node.inputs.flatMap(({ source }) => (source.kind === "node" ? [source.node] : []));
}

function mapShape(node: SegmentorNode): number[] {
  return node.outputs[0]!.shape.slice(1);
}

/** `3×3` of a convolution. */
function kernelOf(node: SegmentorNode): string[] {
  const filter = node.inputs.find(({ source }) => source.kind === "parameter");
  if (!node.op.includes("Conv2D") && !node.op.includes("Conv2d")) return [];
  return filter === undefined ? [] : [`${filter.shape[0]!}×${filter.shape[1]!}`];
}

/** The kernels of a module as a drawing shows them: few are listed, many are counted. */
export function shortDetail({ kind, detail }: GraphNode): string {
  if (kind !== "module" || detail === "") return detail;
  const kernels = detail.split(", ");
  return kernels.length > 3 ? `${kernels.length} convolutions` : `${kernels.join(", ")} conv`;
}
