import { basename, join, resolve, sep } from "node:path";
import { dump } from "js-yaml";
import { resolvePlugin } from "../registry/plugin_path.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import { readWithBases } from "./bases.ts";
import { assertNone, ConfigError, type Complaint } from "./complaint.ts";
import { interpolate, type Environment, type UnsetVariable } from "./environment.ts";
import { configHash } from "./hash.ts";
import { mergeMaps } from "./merge.ts";
import { originText } from "./origin.ts";
import { readOverlay, type Overlay } from "./overlay.ts";
import { applyOverrides, type DefaultAt } from "./override.ts";
import { resolvePaths } from "./paths.ts";
import { componentFindings } from "./rules/components.ts";
import { rules } from "./rules/index.ts";
import { ConfigSections, type Config } from "./sections.ts";
import { nodeAt, originAt, pathText, type ConfigNode, type MapNode, type Origin, type Path } from "./tree.ts";
import { inReadingOrder, Validator, type ComponentPlace } from "./validate.ts";
import type { NamedBy } from "./yaml.ts";

export interface LoadOptions {
  /** `--set a.b.0.c=VALUE`. */
  set?: readonly string[] | undefined;
  /** Overlay files, the later above the earlier; their `config` part. */
  overlays?: readonly string[] | undefined;
  /** The components that the config may name; its plug-ins are added. Default: the built-in ones. */
  registry?: Registry | undefined;
  /** Default: the process's. */
  env?: Environment | undefined;
  /**
   * Leaves references to variables that are not set as they are (`LoadedConfig.unset` lists them), for commands that
   * read no data. Default: they are complaints.
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
 * @throws ConfigError with every complaint at once (those of reading and merging come before those of checking)
 * @throws SegfuseError `SEGFUSE_PLUGIN_…`
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const loader = new ConfigLoader(options);
  const overlays = await Promise.all(
    (options.overlays ?? []).map((file) => readOverlay(resolve(file), loader.registry)),
  );
  return loader.load(path, overlays);
}

/** Loads configs against one registry; a study loads all its rows with one. */
export class ConfigLoader {
  readonly registry: Registry;
  private readonly validator: Validator;
  private readonly env: Environment;
  private readonly folder: string;

  constructor(private readonly options: LoadOptions) {
    this.registry = options.registry ?? createRegistry();
    this.validator = Validator.of(ConfigSections, this.registry);
    this.env = options.env ?? process.env;
    this.folder = options.folder ?? process.cwd();
  }

  /** @param by the study's row that names the file */
  async load(file: string, overlays: readonly Overlay[], row?: string, by?: NamedBy): Promise<LoadedConfig> {
    const path = resolve(file);
    let tree = (await readWithBases(path, by)).node;
    const layers = [
      ...overlays.flatMap((overlay) => overlay.config),
      ...overlays.flatMap((overlay) => (row === undefined ? [] : (overlay.rows.get(row) ?? []))),
    ];
    tree = layers.reduce(mergeMaps, tree);
    await this.loadPlugins(tree);
    tree = applyOverrides(tree, this.options.set ?? [], this.folder, this.defaultAt);
    const { tree: complete, unset, complaints } = interpolate(tree, this.env, this.folder);
    assertNone(complaints);
    if (this.options.allowUnsetEnv !== true) assertNone(unset.map((variable) => variable.complaint));
    await this.loadPlugins(complete);
    return this.finish(complete, path, unset);
  }

  /** Registers the plug-ins of a config and its bases; the rest of it may be wrong, as while it is written. */
  async loadPluginsOf(file: string, by?: NamedBy): Promise<void> {
    await this.loadPlugins((await readWithBases(resolve(file), by)).node);
  }

  private finish(tree: MapNode, path: string, unset: readonly UnsetVariable[]): LoadedConfig {
    const { data, complaints, paths, components } = this.validator.validate(tree, (written) => {
      written["name"] ??= defaultName(path);
    });
    // An unresolved reference is a text. Where the schema takes none, nothing can go on without the variable.
    const left = new Map(unset.map(({ complaint }) => [pathText(complaint.path), complaint]));
    assertNone(complaints.map((complaint) => left.get(pathText(complaint.path)) ?? complaint));
    const config = data as Config;
    config.evaluation.stride ??= defaultStride(config);
    resolvePaths(config, tree, paths);
    config.plugins = config.plugins.map((name, i) => pluginPath(name, originAt(tree, ["plugins", i])));
    assertNone(this.applyRules(config, tree, components));
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
    return [...within, ...across].sort(inReadingOrder);
  }

  /** Plug-ins come before the check: the schema is made of what is registered. */
  private async loadPlugins(tree: MapNode): Promise<void> {
    const { tree: complete } = interpolate(tree, this.env, this.folder);
    const list = nodeAt(complete, ["plugins"]);
    for (const item of list?.kind === "list" ? list.items : []) {
      if (item.kind !== "scalar" || typeof item.value !== "string") continue; // the check complains
      const path = pluginPath(item.value, item.origin);
      await this.registry.loadPlugins([path], path);
    }
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

/** The same config with another seed, for the repetitions of a study's row. */
export function withSeed(loaded: LoadedConfig, seed: number): LoadedConfig {
  const config = { ...loaded.config, seed };
  return { ...loaded, config, hash: configHash(config, loaded.paths) };
}

/**
 * Throws where the config still refers to a variable that is not set.
 *
 * @throws ConfigError `SEGFUSE_CONFIG_ENV`
 */
export function requireEnvironment(loaded: LoadedConfig): void {
  if (loaded.unset.length > 0) throw new ConfigError(loaded.unset.map((variable) => variable.complaint));
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
