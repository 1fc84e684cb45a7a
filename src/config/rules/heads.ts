import type { ComponentConfig } from "../../registry/component_ref.ts";
import type { Config } from "../sections.ts";
import type { Path } from "../tree.ts";

export type HeadConfig = ComponentConfig & { readonly losses: readonly ComponentConfig[] };
type Placed = readonly [head: HeadConfig, place: Path];

/** Every auxiliary head, with its place in the config. */
export function auxiliaryHeads({ auxiliary_head: auxiliary }: Config["model"]): readonly Placed[] {
  const place: Path = ["model", "auxiliary_head"];
  if (auxiliary === null) return [];
  if (!Array.isArray(auxiliary)) return [[auxiliary, place]];
  return auxiliary.map((head, i): Placed => [head, [...place, i]]);
}

/** The head and every auxiliary head. */
export function headsOf(model: Config["model"]): readonly Placed[] {
  return [[model.head, ["model", "head"]], ...auxiliaryHeads(model)];
}
