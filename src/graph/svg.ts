import type { NetworkPart } from "../cost/index.ts";
import { layoutGraph, type Placed, type Point } from "./layout.ts";
import { type GraphNode, type NetworkGraph, shortDetail } from "./network_graph.ts";

/** Fill and border in light and in dark surroundings; text is near black or near white. */
const colours: Record<NetworkPart | "end", { light: [string, string]; dark: [string, string] }> = {
  backbone: { light: ["#e3ecf9", "#4a78b5"], dark: ["#1c2f4a", "#7fa8dd"] },
  "head.context": { light: ["#efe5f7", "#8259a8"], dark: ["#33234a", "#b893da"] },
  neck: { light: ["#e2f3e6", "#3f8a55"], dark: ["#17361f", "#79c48d"] },
  head: { light: ["#fbeedd", "#b5752a"], dark: ["#42300f", "#e0a65d"] },
  auxiliary_head: { light: ["#f9e3e6", "#b04a5a"], dark: ["#471c24", "#e08997"] },
  end: { light: ["#f2f2f2", "#777777"], dark: ["#2b2b2b", "#aaaaaa"] },
};

const line = 15;
const padding = 10;
/** Of a letter at 12 px; a wide estimate, so that no text leaves its box. */
const letter = 7;

/** The graph as an SVG picture of its own, top to bottom, which follows the viewer's light or dark setting. */
export function svgGraph(graph: NetworkGraph, title: string): string {
  const rows = new Map(graph.nodes.map((node) => [node.id, linesOf(node)]));
  const { width, height, nodes, ways } = layoutGraph(sizesOf(rows), graph.edges);
  const edges = ways.map((way) => `<path class="edge" d="${curve(way)}" marker-end="url(#tip)"/>`);
  const boxes = graph.nodes.map((node) => box(node, nodes.get(node.id)!, rows.get(node.id)!));
  const top = 40;
  const size = [Math.ceil(width) + 2 * padding, Math.ceil(height) + top + padding] as const;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size.join(" ")}" role="img">
<title>${escape(title)}</title>
<style>${style()}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="ground" width="100%" height="100%"/>
<text class="title" x="${padding}" y="24">${escape(title)}</text>
<g transform="translate(${padding} ${top})">
${[...edges, ...boxes].join("\n")}
</g>
</svg>
`;
}

function linesOf(node: GraphNode): string[] {
  return [node.label, shortDetail(node), node.shape.join(" × ")].filter((row) => row !== "");
}

function sizesOf(rows: ReadonlyMap<string, readonly string[]>) {
  return new Map(
    [...rows].map(([id, texts]) => {
      const longest = Math.max(...texts.map((text) => text.length));
      return [id, { width: longest * letter + 2 * padding, height: texts.length * line + padding }];
    }),
  );
}

function box(node: GraphNode, { x, y, width, height }: Placed, rows: readonly string[]): string {
  const round = node.kind === "module" ? 4 : height / 2;
  const first = y - ((rows.length - 1) * line) / 2 + 4;
  const texts = rows.map(
    (row, i) =>
      `<text class="${i === 0 ? "name" : "more"}" x="${fixed(x)}" y="${fixed(first + i * line)}">${escape(row)}</text>`,
  );
  const rect = `<rect x="${fixed(x - width / 2)}" y="${fixed(y - height / 2)}" width="${fixed(width)}" height="${fixed(height)}" rx="${fixed(round)}"/>`;
  return `<g class="node ${(node.part ?? "end").replace(".", "-")}">${rect}${texts.join("")}</g>`;
}

/** Through the middles between a polyline's corners, so that it bends and does not break. */
function curve(points: readonly Point[]): string {
  const at = ({ x, y }: Point) => `${fixed(x)} ${fixed(y)}`;
  const [start, ...rest] = points as [Point, ...Point[]];
  const end = rest.pop()!;
  const middles = rest.map((point, i) => {
    const next = rest[i + 1];
    const to = next === undefined ? end : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${at(point)} ${at(to)}`;
  });
  return `M${at(start)}${middles.length === 0 ? `L${at(end)}` : middles.join("")}`;
}

function style(): string {
  const rules = (mode: "light" | "dark") => {
    const [ground, text, edge] =
      mode === "light" ? ["#ffffff", "#1b1b1b", "#8a8a8a"] : ["#121212", "#ececec", "#8f8f8f"];
    const parts = Object.entries(colours).map(([part, colour]) => {
      const [fill, border] = colour[mode];
      return `.${part.replace(".", "-")} rect{fill:${fill};stroke:${border}}`;
    });
    return `.ground{fill:${ground}}text{fill:${text}}.edge{stroke:${edge}}.tip{fill:${edge}}${parts.join("")}`;
  };
  const fixedRules =
    "text{font:12px system-ui,sans-serif}.node text{text-anchor:middle}.title{font-size:15px;font-weight:600}.name{font-weight:600}.edge{fill:none;stroke-width:1.2}";
  return `${fixedRules}${rules("light")}@media (prefers-color-scheme:dark){${rules("dark")}}`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
