import { SegfuseError } from "../errors.ts";
import type { Kind } from "../registry/component.ts";
import { Module } from "../nn/module.ts";
import type { LevelInfo } from "./contracts.ts";

// What plug-ins' components give back, checked where it first comes in: later it fails far from them.

/** Which component a message is about. */
export interface ComponentName {
  readonly kind: Kind;
  readonly type: string;
  /** The file that it comes from, where that is known. */
  readonly source: string | undefined;
}

function broken({ kind, type, source }: ComponentName, expected: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_PLUGIN_FAILED", `the ${kind} '${type}' is not what its kind must be`, {
    ...(source === undefined ? {} : { where: source }),
    expected,
    found,
  });
}

/** Throws where `create` gave no module, such as a plain object, whose weights would not be found. */
export function checkModule(value: unknown, name: ComponentName): void {
  if (value instanceof Module && "forward" in value) return;
  const found =
    value === undefined || value === null
      ? `create() gave ${value}`
      : `create() gave ${typeof value === "object" ? "an object of another class" : `a ${typeof value}`}`;
  throw broken(name, "a module: composeNeck({ … }), or a class that extends Neck, Head, Backbone, …", found);
}

/** Throws where what a component says of its maps is no list of channels and strides. */
export function checkInfos(infos: unknown, name: ComponentName, property: string): void {
  const isInfo = (info: Partial<LevelInfo> | null) =>
    Number.isInteger(info?.channels) && info!.channels! > 0 && info!.stride! > 0;
  if (Array.isArray(infos) && (infos as (Partial<LevelInfo> | null)[]).every(isInfo)) return;
  throw broken(name, `${property}: a list of { channels, stride }`, JSON.stringify(infos) ?? String(infos));
}

/** Throws where the maps of a forward pass are not those that the component announced. */
export function checkMaps(maps: unknown, infos: readonly LevelInfo[], name: ComponentName): void {
  const shapes = shapesOf(maps);
  const fits =
    shapes?.length === infos.length && infos.every(({ channels }, i) => shapes[i]![3] === channels);
  if (fits) return;
  const channels = infos.map((info) => info.channels).join(", ");
  throw broken(
    name,
    `${infos.length} maps [batch, height, width, channels] of ${channels} channels, as it says of itself`,
    shapes === null ? "forward() gave no list of maps" : `forward() gave ${JSON.stringify(shapes)}`,
  );
}

function shapesOf(maps: unknown): number[][] | null {
  if (!Array.isArray(maps)) return null;
  const shapes = (maps as ({ shape?: unknown } | null | undefined)[]).map((map) => map?.shape);
  return shapes.every((shape) => Array.isArray(shape)) ? (shapes as number[][]) : null;
}
