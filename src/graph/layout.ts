import { Graph, layout } from "@dagrejs/dagre";

/** In pixels of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box by its middle. */
export interface Placed extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Placed>;
  /** The corners of each edge's way, in the order of the edges that were given. */
  readonly ways: readonly (readonly Point[])[];
}

/** What we use of dagre; its own declarations import each other in a way that Node's ES modules cannot follow. */
interface DagreGraph {
  setGraph(settings: object): void;
  setNode(id: string, size: { width: number; height: number }): void;
  setEdge(from: string, to: string, label: object): void;
  node(id: string): Placed;
  edge(from: string, to: string): { points: Point[] };
}
const createGraph = Graph as unknown as new () => DagreGraph;
const applyLayout = layout as unknown as (graph: DagreGraph) => void;

/** Places boxes in rows, top to bottom, with few crossings. Everything lies within 0..width and 0..height. */
export function layoutGraph(
  sizes: ReadonlyMap<string, { width: number; height: number }>,
  edges: readonly { readonly from: string; readonly to: string }[],
): Layout {
  const graph = new createGraph();
  graph.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 44, edgesep: 10 });
  for (const [id, size] of sizes) graph.setNode(id, { ...size });
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  applyLayout(graph);
  const boxes = [...sizes.keys()].map((id) => [id, graph.node(id)] as const);
  const ways = edges.map(({ from, to }) => graph.edge(from, to).points);
  // Edges may leave the room that dagre takes for its boxes.
  const corners = boxes.flatMap(([, { x, y, width, height }]) => [
    { x: x - width / 2, y: y - height / 2 },
    { x: x + width / 2, y: y + height / 2 },
  ]);
  const all = [...corners, ...ways.flat()];
  const [left, top] = [Math.min(...all.map(({ x }) => x)), Math.min(...all.map(({ y }) => y))];
  const moved = <P extends Point>(point: P): P => ({ ...point, x: point.x - left, y: point.y - top });
  return {
    width: Math.max(...all.map(({ x }) => x)) - left,
    height: Math.max(...all.map(({ y }) => y)) - top,
    nodes: new Map(boxes.map(([id, placed]) => [id, moved(placed)])),
    ways: ways.map((way) => way.map(moved)),
  };
}
