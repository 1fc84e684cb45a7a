import { type GraphNode, type NetworkGraph, shortDetail } from "./network_graph.ts";

/** The graph as the text of a Mermaid flowchart, parts as subgraphs. */
export function mermaidGraph({ nodes, edges }: NetworkGraph): string {
  const parts = [...new Set(nodes.map((node) => node.part))];
  const name = (id: string) => id.replaceAll(/[^A-Za-z0-9]/g, "_");
  const line = (node: GraphNode) => {
    const text = [node.label, shortDetail(node), node.shape.join("×")].filter((row) => row !== "");
    const [open, close] =
      node.kind === "module" ? ["[", "]"] : node.kind === "fusion" ? ["{{", "}}"] : ["([", "])"];
    return `${name(node.id)}${open}"${text.join("<br>")}"${close}`;
  };
  const blocks = parts.flatMap((part) => {
    const lines = nodes.filter((node) => node.part === part).map(line);
    if (part === null) return lines.map((text) => `  ${text}`);
    return [`  subgraph ${name(`part ${part}`)}["${part}"]`, ...lines.map((text) => `    ${text}`), "  end"];
  });
  const arrows = edges.map(({ from, to }) => `  ${name(from)} --> ${name(to)}`);
  return `${["flowchart TD", ...blocks, ...arrows].join("\n")}\n`;
}
