export { mermaidGraph } from "./mermaid.ts";
export { networkGraph, type GraphEdge, type GraphNode, type NetworkGraph } from "./network_graph.ts";
export { svgGraph } from "./svg.ts";
