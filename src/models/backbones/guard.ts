import type { Tensor4D } from "@tensorflow/tfjs";
import { checkMaps } from "../../nn/map_checks.ts";
import { anInstance, wrong, type Contract } from "../../registry/guard/contract.ts";
import type { Fault } from "../../registry/guard/owner.ts";
import { Backbone, type LevelInfo } from "./contracts.ts";

/** What a plug-in's backbone must give. */
export const backboneContract: Contract = {
  made: (made) => anInstance(made, Backbone, "Backbone") ?? levelList((made as Backbone).levels, "levels"),
  forward: (maps, { self, args }) => backboneMaps(maps, self as Backbone, args[0] as Tensor4D),
  methods: {},
};

/** Levels of `stride` have the image's size divided by it, rounded either way. */
function backboneMaps(maps: unknown, { levels }: Backbone, image: Tensor4D): Fault | null {
  const [batch, height, width] = image.shape;
  const part = (size: number, stride: number) =>
    [Math.floor(size / stride), Math.ceil(size / stride)] as const;
  return checkMaps(
    maps,
    levels.map(({ channels, stride }) => [batch, part(height, stride), part(width, stride), channels]),
  );
}

/** What a list of levels that a component declares must be. */
export function levelList(levels: unknown, name: string): Fault | null {
  const isCount = (value: unknown) => Number.isInteger(value) && (value as number) > 0;
  const isLevel = (level: Partial<LevelInfo> | null) => isCount(level?.channels) && isCount(level?.stride);
  if (Array.isArray(levels) && levels.length > 0 && levels.every(isLevel)) return null;
  return wrong(`'${name}', a list of { channels, stride } in whole numbers`, levels);
}

/** An option that the schema lacks would never be read. */
export function backboneProblem({
  type,
  schema,
  pretrained,
}: Readonly<Record<string, unknown>>): string | null {
  if (pretrained === undefined) return null;
  const { file, key } = (pretrained ?? {}) as { file?: unknown; key?: unknown };
  const { properties } = schema as { properties: object };
  const isOption = (name: unknown) => typeof name === "string" && Object.hasOwn(properties, name);
  if (isOption(file) && (key === undefined || isOption(key))) return null;
  return `the backbone '${type as string}' whose pretrained does not name options of its schema`;
}
