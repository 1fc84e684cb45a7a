import { contextContract } from "./contexts/guard.ts";
import { contexts } from "./contexts/index.ts";
import { datasets } from "./datasets/index.ts";
import { dataContracts } from "./datasets/guard.ts";
import { transforms } from "./datasets/transforms/index.ts";
import { metricProblem } from "./evaluation/metrics/guard.ts";
import { metrics } from "./evaluation/metrics/index.ts";
import { auxiliaryHeadContract, headContract, headProblem } from "./heads/guard.ts";
import { auxiliaryHeads, heads } from "./heads/index.ts";
import type { AnyRecord, Kind, RecordsByKind, Registry } from "./kinds.ts";
import { lossContract } from "./losses/guard.ts";
import { losses } from "./losses/index.ts";
import { backboneContract, backboneProblem } from "./models/backbones/guard.ts";
import { backbones } from "./models/backbones/index.ts";
import { neckContract } from "./necks/guard.ts";
import { necks } from "./necks/index.ts";
import type { KindTable } from "./registry/kind.ts";
import { ComponentRegistry } from "./registry/registry.ts";
import { hookContract } from "./training/hooks/guard.ts";
import { hooks } from "./training/hooks/index.ts";
import { optimizerContract } from "./training/optimizers/guard.ts";
import { optimizers } from "./training/optimizers/index.ts";
import { scheduleContract } from "./training/schedules/guard.ts";
import { schedules } from "./training/schedules/index.ts";
import { nameMapContract } from "./weights/maps/guard.ts";
import { nameMaps } from "./weights/maps/index.ts";

// What ships with segfuse. Commands and the public API make a registry of it and hand it on; nothing below imports this.

const table: KindTable<RecordsByKind> = {
  backbone: { contract: backboneContract, problem: backboneProblem },
  context: { contract: contextContract },
  neck: { contract: neckContract },
  head: { contract: headContract, problem: headProblem },
  auxiliary_head: { contract: auxiliaryHeadContract },
  loss: { contract: lossContract },
  dataset: { contract: dataContracts.dataset },
  transform: { contract: dataContracts.transform },
  optimizer: { contract: optimizerContract },
  schedule: { contract: scheduleContract },
  hook: { contract: hookContract },
  // What computes metrics checks them itself.
  metric: { contract: null, problem: metricProblem },
  name_map: { contract: nameMapContract },
};

/** The kinds, in the order in which `segfuse list` prints them. */
export const kinds = Object.keys(table) as readonly Kind[];

const records: readonly AnyRecord[] = [
  ...backbones,
  ...contexts,
  ...necks,
  ...heads,
  ...auxiliaryHeads,
  ...losses,
  ...datasets,
  ...transforms,
  ...optimizers,
  ...schedules,
  ...nameMaps,
  ...hooks,
  ...metrics,
];

/** A registry with every component that ships. Nothing is shared between two registries. */
export function createRegistry(): Registry {
  const registry: Registry = new ComponentRegistry<RecordsByKind>(table);
  for (const record of records) registry.register(record);
  return registry;
}
