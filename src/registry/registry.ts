import "reflect-metadata";
import { closest } from "fastest-levenshtein";
import { container as rootContainer, type DependencyContainer } from "tsyringe";
import { datasets } from "../datasets/index.ts";
import { transforms } from "../datasets/transforms/index.ts";
import { SegfuseError } from "../errors.ts";
import { metrics } from "../evaluation/metrics/index.ts";
import { auxiliaryHeads, heads } from "../heads/index.ts";
import { losses } from "../losses/index.ts";
import { backbones } from "../models/backbones/index.ts";
import { necks } from "../necks/index.ts";
import { hooks } from "../runners/hooks/index.ts";
import { optimizers } from "../runners/optimizers/index.ts";
import { schedules } from "../runners/schedules/index.ts";
import type { Logger } from "../util/logger.ts";
import { nameMaps } from "../weights/maps/index.ts";
import type { AnyRecord, Kind, RecordsByKind } from "./component.ts";
import { contracts } from "./guard/contracts.ts";
import { guardRecord } from "./guard/guard.ts";
import { importPlugin } from "./plugins.ts";
import { kindToken, recordToken, runTokens, type Token } from "./tokens.ts";

const builtIn: readonly AnyRecord[] = [
  ...backbones,
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

/** What one run shares; each part is bound under its token of {@link runTokens}. */
export interface RunInputs {
  logger: Logger;
  seed: number;
  workDir?: string;
  engine?: unknown;
}

/** The components that a config may name, and the containers that wire a run. */
export class Registry {
  private readonly sources = new Map<AnyRecord, string>();
  /** Plug-ins' records as they were exported. */
  private readonly exported = new Set<AnyRecord>();
  private readonly derived = new Map<object, unknown>();

  constructor(private readonly container: DependencyContainer) {}

  /**
   * Adds a record. A plug-in's is guarded: what its code throws, or gives against its kind's contract, is told with
   * its path.
   *
   * @param source where it comes from: `segfuse`, or a plug-in's file
   * @throws SegfuseError `SEGFUSE_PLUGIN_CLASH` where the kind has that type already
   */
  register(record: AnyRecord, source = "segfuse"): void {
    const { kind, type } = record;
    const token = recordToken(kind, type);
    if (this.container.isRegistered(token)) {
      const holder = this.source(this.container.resolve<AnyRecord>(token));
      throw new SegfuseError("SEGFUSE_PLUGIN_CLASH", `there are two components '${type}' of kind ${kind}`, {
        where: source,
        found: `${type}, which ${holder} has registered already`,
        expected: `a ${kind} type of another name`,
      });
    }
    const useValue = source === "segfuse" ? record : guarded(record, source);
    this.container.register<AnyRecord>(token, { useValue });
    this.container.register<AnyRecord>(kindToken(kind), { useValue });
    this.sources.set(useValue, source);
    this.exported.add(record);
  }

  /** A value that is made once from this registry and kept with it, such as a compiled schema. */
  derive<T>(key: object, make: () => T): T {
    if (!this.derived.has(key)) this.derived.set(key, make());
    return this.derived.get(key) as T;
  }

  /** How many records there are; it only ever grows. */
  get size(): number {
    return this.sources.size;
  }

  has(kind: Kind, type: string): boolean {
    return this.container.isRegistered(recordToken(kind, type));
  }

  /** @throws SegfuseError `SEGFUSE_UNKNOWN_COMPONENT` with the nearest and all valid names */
  get<K extends Kind>(kind: K, type: string): RecordsByKind[K] {
    if (this.has(kind, type)) return this.container.resolve(recordToken(kind, type));
    const names = this.types(kind);
    throw new SegfuseError("SEGFUSE_UNKNOWN_COMPONENT", `there is no ${kind} '${type}'`, {
      found: type,
      expected: names.length === 0 ? `nothing: no ${kind} is registered` : `one of ${names.join(", ")}`,
      ...(names.length === 0 ? {} : { advice: closest(type, names) }),
    });
  }

  /** All records of a kind, in the order of registration. */
  list<K extends Kind>(kind: K): readonly RecordsByKind[K][] {
    const token = kindToken(kind);
    return this.container.isRegistered(token) ? this.container.resolveAll(token) : [];
  }

  types(kind: Kind): string[] {
    return this.list(kind).map((record) => record.type);
  }

  /** Whether a record is segfuse's own. */
  isBuiltIn(record: AnyRecord): boolean {
    return builtIn.includes(record);
  }

  /** Where a record comes from: `segfuse` or a plug-in's path or package. */
  source(record: AnyRecord): string {
    return this.sources.get(record) ?? "segfuse";
  }

  /**
   * Imports plug-ins and registers what they export. A plug-in that this registry has loaded already is
   * skipped, so that the rows of a study may share one.
   *
   * @param specifiers paths (`./neck.ts`, absolute) or package names
   * @param from the file that names them; paths and packages are looked up from there
   * @throws SegfuseError `SEGFUSE_PLUGIN_LOAD`, `SEGFUSE_PLUGIN_EXPORT` or `SEGFUSE_PLUGIN_CLASH`, naming the plug-in
   */
  async loadPlugins(specifiers: readonly string[], from: string): Promise<void> {
    for (const specifier of specifiers) {
      const plugin = await importPlugin(specifier, from);
      for (const record of plugin.records) if (!this.exported.has(record)) this.register(record, plugin.path);
    }
  }

  /** A child container for one run: it sees the records, and what it holds is gone with it. */
  createRun(inputs: RunInputs): Run {
    const container = this.container.createChildContainer();
    const bind = <T>(token: Token<T>, value: T) => container.register(token.symbol, { useValue: value });
    bind(runTokens.logger, inputs.logger);
    bind(runTokens.seed, inputs.seed);
    if (inputs.workDir !== undefined) bind(runTokens.workDir, inputs.workDir);
    if (inputs.engine !== undefined) bind(runTokens.engine, inputs.engine);
    return new Run(this, container);
  }
}

/** One run's container. */
export class Run {
  constructor(
    readonly registry: Registry,
    readonly container: DependencyContainer,
  ) {}

  get<T>(token: Token<T>): T {
    return this.container.resolve<T>(token.symbol);
  }

  /** Forgets what the run held. */
  async dispose(): Promise<void> {
    await this.container.dispose();
  }
}

/** What computes metrics checks them itself. */
function guarded(record: AnyRecord, source: string): AnyRecord {
  return record.kind === "metric" ? record : guardRecord(record, source, contracts[record.kind]);
}

/** A registry with every built-in component. Nothing is shared between two registries. */
export function createRegistry(): Registry {
  const registry = new Registry(rootContainer.createChildContainer());
  for (const record of builtIn) registry.register(record);
  return registry;
}
