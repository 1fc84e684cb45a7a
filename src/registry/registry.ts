import "reflect-metadata";
import { closest } from "fastest-levenshtein";
import { container as rootContainer } from "tsyringe";
import { SegfuseError } from "../errors.ts";
import type { ComponentConfig } from "./component_ref.ts";
import type { Contract } from "./guard/contract.ts";
import { guardRecord, watchRecord } from "./guard/guard.ts";
import type { KindTable, Records } from "./kind.ts";
import { makeComponent, type InputsOf, type MadeBy } from "./make.ts";
import { importPlugin } from "./plugins.ts";
import type { RecordBase } from "./record.ts";
import { Scope } from "./scope.ts";
import { kindToken, recordToken } from "./tokens.ts";

/** Where segfuse's own records come from. */
const ownSource = "segfuse";

function guarded(record: RecordBase, source: string, contract: Contract): RecordBase {
  if (source !== ownSource) return guardRecord(record, source, contract);
  return contract.forward === undefined ? record : watchRecord(record, contract);
}

/**
 * The components that a config may name, and the scopes of runs. It knows kinds and records by what they
 * have in common, and no component; `R` says which record each kind has. Nothing is shared between two registries.
 */
export class ComponentRegistry<R extends Records<R>> {
  private readonly container = rootContainer.createChildContainer();
  private readonly sources = new Map<RecordBase, string>();
  /** Plug-ins' records as they were exported. */
  private readonly exported = new Set<RecordBase>();
  private readonly derived = new Map<object, unknown>();

  /** @param table its kinds, in the order in which they are listed */
  constructor(private readonly table: KindTable<R>) {}

  /** The kinds, in the order in which `segfuse list` prints them. */
  get kinds(): readonly (keyof R & string)[] {
    return Object.keys(this.table) as (keyof R & string)[];
  }

  /**
   * Adds a record. A plug-in's is guarded: what its code throws, or gives against its kind's contract, is told with
   * its path.
   *
   * @param source where it comes from: `segfuse`, or a plug-in's file
   * @throws SegfuseError `SEGFUSE_PLUGIN_CLASH` where the kind has that type already
   */
  register(record: R[keyof R], source = ownSource): void {
    const { kind, type } = record as unknown as RecordBase<keyof R & string>;
    const token = recordToken(kind, type);
    if (this.container.isRegistered(token)) {
      const holder = this.source(this.container.resolve<RecordBase>(token));
      throw new SegfuseError("SEGFUSE_PLUGIN_CLASH", `there are two components '${type}' of kind ${kind}`, {
        where: source,
        found: `${type}, which ${holder} has registered already`,
        expected: `a ${kind} type of another name`,
      });
    }
    const { contract } = this.table[kind];
    const useValue = contract === null ? (record as RecordBase) : guarded(record, source, contract);
    this.container.register<RecordBase>(token, { useValue });
    this.container.register<RecordBase>(kindToken(kind), { useValue });
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

  has(kind: keyof R & string, type: string): boolean {
    return this.container.isRegistered(recordToken(kind, type));
  }

  /** @throws SegfuseError `SEGFUSE_UNKNOWN_COMPONENT` with the nearest and all valid names */
  get<K extends keyof R & string>(kind: K, type: string): R[K] {
    if (this.has(kind, type)) return this.container.resolve(recordToken(kind, type));
    const names = this.types(kind);
    throw new SegfuseError("SEGFUSE_UNKNOWN_COMPONENT", `there is no ${kind} '${type}'`, {
      found: type,
      expected: names.length === 0 ? `nothing: no ${kind} is registered` : `one of ${names.join(", ")}`,
      ...(names.length === 0 ? {} : { advice: closest(type, names) }),
    });
  }

  /** Makes the component that a slot of a config names; see {@link makeComponent}. */
  make<K extends keyof R & string>(kind: K, slot: ComponentConfig, ...inputs: InputsOf<R[K]>): MadeBy<R[K]> {
    return makeComponent<R, K>(this, kind, slot, ...inputs);
  }

  /** All records of a kind, in the order of registration. */
  list<K extends keyof R & string>(kind: K): readonly R[K][] {
    const token = kindToken(kind);
    return this.container.isRegistered(token) ? this.container.resolveAll<R[K]>(token) : [];
  }

  types(kind: keyof R & string): string[] {
    return this.list(kind).map((record) => (record as RecordBase).type);
  }

  /** Whether a record is segfuse's own. */
  isBuiltIn(record: RecordBase): boolean {
    return this.sources.get(record) === ownSource;
  }

  /** Where a record comes from: `segfuse` or a plug-in's path or package. */
  source(record: RecordBase): string {
    return this.sources.get(record) ?? ownSource;
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
      const { path, records } = await importPlugin(specifier, from, this.table);
      for (const record of records) if (!this.exported.has(record)) this.register(record as R[keyof R], path);
    }
  }

  /** A scope for one run, in a child container of this registry's: it sees the records, and what it holds is gone with it. */
  createScope(): Scope {
    return new Scope(this.container.createChildContainer());
  }
}
