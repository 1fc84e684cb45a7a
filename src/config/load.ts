import { basename, join, resolve, sep } from "node:path";
import { dump } from "js-yaml";
import { resolvePlugin } from "../registry/plugin_path.ts";
import type { Registry } from "../kinds.ts";
import { readWithBases } from "./bases.ts";
import { assertNone, ConfigError, distinct, type Complaint } from "./complaint.ts";
import { SegfuseError } from "../errors.ts";
import { wrongDocument } from "./document_kind.ts";
import { interpolate, type Environment, type UnsetVariable } from "./environment.ts";
import { configHash } from "./hash.ts";
import { mergeMaps } from "./merge.ts";
import { displayPath, originText } from "./origin.ts";
import { readOverlays, type Overlay } from "./overlay.ts";
import { applyOverrides, type DefaultAt } from "./override.ts";
import { resolvePaths } from "./paths.ts";
import { componentFindings } from "./rules/components.ts";
import { rules } from "./rules/index.ts";
import { ConfigSections, type Config } from "./sections.ts";
import { nodeAt, originAt, pathText, type ConfigNode, type MapNode, type Origin, type Path } from "./tree.ts";
import { inReadingOrder, Validator, type ComponentPlace } from "./validate.ts";
import type { NamedBy } from "./yaml_file.ts";

export interface LoadOptions {
  /** `--set a.b.0.c=VALUE`. */
  set?: readonly string[] | undefined;
  /** Overlay files, the later above the earlier; their `config` part. */
  overlays?: readonly string[] | undefined;
  /** The components that the config may name; its plug-ins are added. */
  registry: Registry;
  /** Default: the process's. */
  env?: Environment | undefined;
  /**
   * Leaves references to variables that are not set as they are (`LoadedConfig.unset` lists them), for commands that
   * read no data; those of `plugins` are complaints all the same. Default: all are.
   */
  allowUnsetEnv?: boolean | undefined;
  /** What paths of `--set` and of variables start from. Default: the working folder. */
  folder?: string | undefined;
}

/** Where the written values of a config stand, by dotted path; defaults have no entry. */
export type Origins = ReadonlyMap<string, Origin>;

export interface LoadedConfig {
  /** The file, absolute. */
  readonly path: string;
  /** Resolved: defaults filled in, paths absolute. */
  readonly config: Config;
  readonly origins: Origins;
  /** See {@link configHash}. */
  readonly hash: string;
  /** Places of all values that are paths of files. */
  readonly paths: readonly Path[];
  /** References that stayed unresolved (`allowUnsetEnv`). */
  readonly unset: readonly UnsetVariable[];
  /** The components that it may name, its plug-ins' included. */
  readonly registry: Registry;
}

/**
 * Loads, merges, fills in and checks a config file.
 *
 * @throws ConfigError with every complaint at once, those of plug-ins (`SEGFUSE_PLUGIN_…`), `--set` and variables among
 *   them; only where a file cannot be read or bases differ is nothing else checked
 */
export async function loadConfig(path: string, options: LoadOptions): Promise<LoadedConfig> {
  const loader = new ConfigLoader(options);
  return loader.load(path, await readOverlays(options.overlays, loader.registry));
}

/** Loads configs against one registry; a study loads all its rows with one. */
export class ConfigLoader {
  readonly registry: Registry;
  private readonly validator: Validator;
  private readonly env: Environment;
  private readonly folder: string;

  constructor(private readonly options: LoadOptions) {
    this.registry = options.registry;
    this.validator = Validator.of(ConfigSections, this.registry);
    this.env = options.env ?? process.env;
    this.folder = options.folder ?? process.cwd();
  }

  /** @param by the study's row that names the file */
  async load(file: string, overlays: readonly Overlay[], row?: string, by?: NamedBy): Promise<LoadedConfig> {
    const path = resolve(file);
    return this.finish(await this.assemble(path, overlays, row, by), path);
  }

  /** Registers the plug-ins of a config, its bases and overlays; the rest of it may be wrong, as while it is written. */
  async loadPluginsOf(file: string, overlays: readonly Overlay[], row?: string, by?: NamedBy): Promise<void> {
    const { plugins } = await this.assemble(resolve(file), overlays, row, by);
    if (plugins.complaints.length > 0) throw new ConfigError(plugins.complaints, plugins.cause);
  }

  /** A config before it is checked; what is wrong so far is noted, so that all of it is told at once. */
  private async assemble(
    path: string,
    overlays: readonly Overlay[],
    row: string | undefined,
    by: NamedBy | undefined,
  ): Promise<Assembled> {
    const written = (await readWithBases(path, by)).node;
    const other = wrongDocument(written, "config", path);
    if (other !== null) throw new ConfigError([other]);
    const layers = [
      ...overlays.flatMap((overlay) => overlay.config),
      ...overlays.flatMap((overlay) => (row === undefined ? [] : (overlay.rows.get(row) ?? []))),
    ];
    const tree = layers.reduce(mergeMaps, written);
    await this.loadPlugins(tree); // `--set` may name an option of theirs; what fails is told below
    const overridden = applyOverrides(tree, this.options.set ?? [], this.folder, this.defaultAt);
    const resolved = interpolate(overridden.tree, this.env, this.folder);
    return {
      ...resolved,
      complaints: [...overridden.complaints, ...resolved.complaints],
      plugins: await this.loadPlugins(resolved.tree),
    };
  }

  private finish({ tree, unset, complaints: faults, plugins }: Assembled, path: string): LoadedConfig {
    const { data, complaints, paths, components } = this.validator.validate(tree, (written) => {
      written["name"] ??= defaultName(path);
    });
    // An unresolved reference is a text. Where the schema takes none, nothing can go on without the variable.
    const missing = unset.map(({ complaint }) => complaint);
    const references = new Map(
      [...missing, ...faults].map((complaint) => [pathText(complaint.path), complaint]),
    );
    const isLoaded = plugins.complaints.length === 0;
    const invalid = complaints
      // A type that is not there may be that of a plug-in which could not be loaded.
      .filter(({ code }) => isLoaded || code !== "SEGFUSE_CONFIG_UNKNOWN_TYPE")
      .map((complaint) => references.get(pathText(complaint.path)) ?? complaint);
    // Whatever a command reads, the components have to be there.
    const withoutPlugins = missing.filter(({ path }) => path[0] === "plugins");
    const all = [
      ...plugins.complaints,
      ...faults,
      ...(this.options.allowUnsetEnv === true ? withoutPlugins : missing),
      ...invalid,
    ];
    if (!isLoaded || invalid.length > 0 || withoutPlugins.length > 0)
      throw new ConfigError(inOrder(all), plugins.cause);
    const config = data as Config;
    config.evaluation.stride ??= defaultStride(config);
    resolvePaths(config, tree, paths);
    config.plugins = config.plugins.map((name, i) => pluginPath(name, originAt(tree, ["plugins", i])));
    assertNone(inOrder([...all, ...this.applyRules(config, tree, components)]));
    const { registry } = this;
    return {
      path,
      config,
      origins: originsOf(tree),
      hash: configHash(config, paths),
      paths,
      unset,
      registry,
    };
  }

  private applyRules(config: Config, tree: MapNode, components: readonly ComponentPlace[]): Complaint[] {
    const origin = (path: Path) => ({ origin: originAt(tree, path) });
    const across = rules.flatMap((rule) =>
      [...rule.check(config, this.registry)].map((finding): Complaint => ({
        code: rule.code,
        ...origin(finding.path),
        ...finding,
      })),
    );
    const within = [...componentFindings(config, components, this.registry)].map((finding): Complaint => ({
      ...origin(finding.path),
      ...finding,
    }));
    return [...within, ...across];
  }

  /** Plug-ins come before the check: the schema is made of what is registered. All that cannot be loaded are told. */
  private async loadPlugins(tree: MapNode): Promise<PluginFaults> {
    const { tree: complete } = interpolate(tree, this.env, this.folder);
    const list = nodeAt(complete, ["plugins"]);
    const complaints: Complaint[] = [];
    let cause: unknown;
    for (const [i, item] of (list?.kind === "list" ? list.items : []).entries()) {
      if (item.kind !== "scalar" || typeof item.value !== "string") continue; // the check complains
      if (item.value === "" || item.value.includes("${env:")) continue; // and of variables that are not set
      try {
        const path = pluginPath(item.value, item.origin);
        await this.registry.loadPlugins([path], path);
      } catch (error) {
        if (!(error instanceof SegfuseError)) throw error;
        complaints.push(pluginComplaint(error, item.origin, ["plugins", i]));
        cause ??= error.cause;
      }
    }
    return { complaints, cause };
  }

  private readonly defaultAt: DefaultAt = (tree, path) => {
    const { data } = this.validator.validate(tree);
    return path.reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
      data,
    );
  };
}

interface PluginFaults {
  readonly complaints: readonly Complaint[];
  /** What the first of them threw. */
  readonly cause: unknown;
}

interface Assembled {
  readonly tree: MapNode;
  readonly unset: readonly UnsetVariable[];
  readonly complaints: readonly Complaint[];
  readonly plugins: PluginFaults;
}

function inOrder(complaints: readonly Complaint[]): Complaint[] {
  return distinct(complaints).sort(inReadingOrder);
}

/** What a plug-in is reported for, at the line that names it and by its own path. */
function pluginComplaint({ code, message, details }: SegfuseError, origin: Origin, path: Path): Complaint {
  const { where, expected, found, advice } = details;
  const file = where === undefined || where === originText(origin) ? "" : `${displayPath(where)}: `;
  return {
    code,
    message,
    origin,
    path,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found: `${file}${found}` }),
    ...(advice === undefined ? {} : { advice }),
  };
}

/** The same config with another seed, for the repetitions of a study's row. */
export function withSeed(loaded: LoadedConfig, seed: number): LoadedConfig {
  const config = { ...loaded.config, seed };
  return { ...loaded, config, hash: configHash(config, loaded.paths) };
}

/**
 * Throws where what a command reads of the config still refers to a variable that is not set. Weights that the backbone
 * starts from are read by training alone, which has no such references: those of a checkpoint, or fresh ones, replace
 * them.
 *
 * @param reads the sections and places that the command reads
 * @throws ConfigError `SEGFUSE_CONFIG_ENV`
 */
export function requireEnvironment(
  { unset, config, registry }: LoadedConfig,
  reads: readonly string[],
): void {
  const { type } = config.model.backbone;
  const { pretrained } = registry.get("backbone", type);
  const isRead = (place: string) =>
    (pretrained === undefined || place !== `model.backbone.${pretrained.file}`) &&
    reads.some((read) => `${place}.`.startsWith(`${read}.`));
  const complaints = unset.map(({ complaint }) => complaint).filter(({ path }) => isRead(pathText(path)));
  if (complaints.length > 0) throw new ConfigError(complaints);
}

/** A resolved config as YAML; loading it gives an equal config. */
export function stringifyConfig(config: Config, lineWidth = 110): string {
  const keys = Object.keys(ConfigSections.properties) as (keyof Config)[];
  return dump(Object.fromEntries(keys.map((key) => [key, config[key]])), { lineWidth, noRefs: true });
}

/** configs/table1/gff.yaml → table1_gff; outside of a folder `configs`, the file's own name. */
export function defaultName(path: string): string {
  const stem = path.slice(0, path.length - (/\.ya?ml$/.exec(path)?.[0].length ?? 0));
  const parts = stem.split(sep);
  const start = parts.lastIndexOf("configs");
  const name = start < 0 ? basename(stem) : parts.slice(start + 1).join("_");
  const safe = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").replace(/^[^A-Za-z0-9]+/, "");
  return safe.slice(0, 200) || "config";
}

/** Windows overlap by a third: 576 of 864, so that a smaller crop needs no other stride to be written. */
function defaultStride({ evaluation, data }: Config): [number, number] {
  const [height, width] = evaluation.window ?? data.crop_size;
  return [Math.max(1, Math.floor((height * 2) / 3)), Math.max(1, Math.floor((width * 2) / 3))];
}

/**
 * A plug-in's file: paths and packages are looked up from the file that names it. Absolute in the resolved config, so
 * that data workers and a later run of the stored config find the same one from any folder.
 */
function pluginPath(name: string, origin: Origin): string {
  return resolvePlugin(name, join(origin.directory, "config.yaml"), originText(origin));
}

function originsOf(tree: MapNode): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  const visit = (node: ConfigNode, path: Path): void => {
    origins.set(pathText(path), node.origin);
    if (node.kind === "list") node.items.forEach((item, i) => visit(item, [...path, i]));
    if (node.kind === "map") for (const [key, entry] of node.entries) visit(entry.node, [...path, key]);
  };
  visit(tree, []);
  return origins;
}
