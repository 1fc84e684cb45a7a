import { createRegistry } from "../builtin.ts";
import * as config from "../config/index.ts";
import type { LoadedConfig, LoadedStudy } from "../config/index.ts";
import type { Registry } from "../kinds.ts";

// Configs for programs, which need no registry of their own.

interface WithDefault {
  /** The components that the config may name; its plug-ins are added. Default: those that ship. */
  registry?: Registry | undefined;
}
export type LoadOptions = Omit<config.LoadOptions, "registry"> & WithDefault;
export type StudyOptions = Omit<config.StudyOptions, "registry"> & WithDefault;

/**
 * Loads, merges, fills in and checks a config file.
 *
 * @throws ConfigError with every complaint at once, those of plug-ins (`SEGFUSE_PLUGIN_…`), `--set` and variables among
 *   them; only where a file cannot be read or bases differ is nothing else checked
 */
export function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  return config.loadConfig(path, { ...options, registry: options.registry ?? createRegistry() });
}

/**
 * Loads a study and the configs of its rows, in the order of what depends on what.
 *
 * @throws ConfigError as {@link loadConfig}, with the complaints of all rows
 */
export function loadStudy(file: string, options: StudyOptions = {}): Promise<LoadedStudy> {
  return config.loadStudy(file, { ...options, registry: options.registry ?? createRegistry() });
}
