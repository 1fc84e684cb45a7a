import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import {
  AuxiliaryHead,
  Backbone,
  ContextModule,
  Head,
  Neck,
  type LevelInfo,
} from "../../models/contracts.ts";
import type { NeckTensors } from "../../models/contracts.ts";
import type { Kind } from "../component.ts";
import { missingMethod, type Call, type Check, type Contract } from "./contract.ts";
import { dataContracts } from "./data.ts";
import { checkHook, hookMethods } from "./hooks.ts";
import type { Fault } from "./owner.ts";
import { show } from "../../util/show.ts";

const anything: Check = () => null;

/** What is kept of a tensor that was disposed of is only its shape. */
function isTensor(value: unknown): value is Tensor {
  return value instanceof tf.Tensor && !value.isDisposed;
}

function showMap(value: unknown): string {
  return value instanceof tf.Tensor && value.isDisposed ? `${show(value)}, disposed of` : show(value);
}

/** What each kind must give, apart from metrics. */
export const contracts: Readonly<Record<Exclude<Kind, "metric">, Contract>> = {
  backbone: {
    made: (made) => anInstance(made, Backbone, "Backbone") ?? levelList((made as Backbone).levels, "levels"),
    methods: {
      forward: (maps, { self, args }) => backboneMaps(maps, self as Backbone, args[0] as Tensor4D),
    },
  },
  neck: {
    made: (made) =>
      anInstance(made, Neck, "Neck", "composeNeck({ … }) or ") ??
      levelList((made as Neck).outputs, "outputs"),
    methods: {
      forward: neckMaps,
      gateMaps: (maps) => (Array.isArray(maps) ? null : wrong("a list of maps", maps)),
    },
  },
  head: {
    made: (made) => anInstance(made, Head, "Head"),
    methods: { forward: logits },
    also: {
      context: {
        check: (made) =>
          made === null ? null : anInstance(made, ContextModule, "ContextModule", "null or "),
        methods: { forward: anything },
      },
    },
  },
  auxiliary_head: {
    made: (made) => anInstance(made, AuxiliaryHead, "AuxiliaryHead"),
    methods: { forward: logits },
  },
  loss: {
    made: (made) => hasMethods(made, "forward") ?? ofType(made, "name", "string"),
    methods: { forward: scalar },
  },
  ...dataContracts,
  optimizer: {
    made: (made) => hasMethods(made, "apply", "state", "dispose"),
    methods: { apply: anything, state: anything, dispose: anything },
  },
  schedule: {
    made: (made) => hasMethods(made, "rate") ?? ofType(made, "iterations", "number"),
    methods: {
      rate: (rate) => (Number.isFinite(rate) ? null : wrong("a finite number", rate)),
    },
  },
  hook: { made: checkHook, methods: Object.fromEntries(hookMethods.map((name) => [name, anything])) },
  name_map: {
    made: (made) => hasMethods(made, "toOurs", "toTheirs"),
    methods: { toOurs: aName, toTheirs: aName },
  },
};

function wrong(expected: string, found: unknown): Fault {
  return { expected, found: show(found) };
}

type Class = abstract new (...args: never[]) => object;

/** A frozen module could not be guarded: what stood in its place would hide its weights. */
function anInstance(made: unknown, base: Class, name: string, or = ""): Fault | null {
  if (!(made instanceof base)) return wrong(`${or}an object of a class that extends ${name}`, made);
  return Object.isExtensible(made)
    ? null
    : { expected: `a ${name} that is not frozen`, found: "a frozen one" };
}

function hasMethods(made: unknown, ...names: string[]): Fault | null {
  return missingMethod(made, names) === undefined
    ? null
    : wrong(`an object with ${names.map((name) => `${name}()`).join(", ")}`, made);
}

function ofType(made: unknown, name: string, type: "string" | "number"): Fault | null {
  const value = (made as Record<string, unknown>)[name];
  return typeof value === type ? null : wrong(`an object whose '${name}' is a ${type}`, made);
}

function levelList(levels: unknown, name: string): Fault | null {
  const isCount = (value: unknown) => Number.isInteger(value) && (value as number) > 0;
  const isLevel = (level: Partial<LevelInfo> | null) => isCount(level?.channels) && isCount(level?.stride);
  if (Array.isArray(levels) && levels.length > 0 && levels.every(isLevel)) return null;
  return wrong(`'${name}', a list of { channels, stride } in whole numbers`, levels);
}

/** A row of a shape: a number, or a range that it must lie in. */
type Extent = number | readonly [least: number, most: number] | null;

function checkMaps(maps: unknown, expected: readonly (readonly Extent[])[]): Fault | null {
  const list: readonly unknown[] = Array.isArray(maps) ? maps : [];
  const isRight = Array.isArray(maps) && list.length === expected.length;
  if (isRight && expected.every((shape, i) => hasShape(list[i], shape))) return null;
  return {
    expected: `${expected.length === 1 ? "a list of one map" : `${expected.length} maps`} ${expected.map(showExtents).join(", ")}`,
    found: Array.isArray(maps) ? list.map(showMap).join(", ") || "an empty list" : showMap(maps),
  };
}

function hasShape(map: unknown, extents: readonly Extent[]): boolean {
  if (!isTensor(map) || map.rank !== extents.length) return false;
  return extents.every((extent, i) => {
    const size = map.shape[i]!;
    if (extent === null) return true;
    return typeof extent === "number" ? size === extent : size >= extent[0] && size <= extent[1];
  });
}

function showExtents(extents: readonly Extent[]): string {
  const texts = extents.map((extent) => {
    if (extent === null) return "*";
    if (typeof extent === "number" || extent[0] === extent[1])
      return String(extent instanceof Array ? extent[0] : extent);
    return extent.join("–");
  });
  return `[${texts.join(", ")}]`;
}

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

/** An output that has a backbone level's stride has its size. */
function neckMaps(maps: unknown, { self, args, made }: Call): Fault | null {
  const { levels } = made[1] as { levels: readonly LevelInfo[] };
  const tensors = args[0] as NeckTensors;
  const batch = tensors.levels[0]!.shape[0];
  return checkMaps(
    maps,
    (self as Neck).outputs.map(({ channels, stride }) => {
      const same = tensors.levels[levels.findIndex((level) => level.stride === stride)];
      return [batch, same?.shape[1] ?? null, same?.shape[2] ?? null, channels];
    }),
  );
}

function logits(map: unknown, { args, made }: Call): Fault | null {
  const { numClasses } = made[1] as { numClasses: number };
  const batch = (args[0] as readonly Tensor4D[])[0]?.shape[0] ?? null;
  const shape = [batch, null, null, numClasses];
  if (hasShape(map, shape)) return null;
  return { expected: `logits ${showExtents(shape)}`, found: showMap(map) };
}

function scalar(value: unknown): Fault | null {
  if (isTensor(value) && value.rank === 0) return null;
  return { expected: "a scalar tensor []", found: showMap(value) };
}

function aName(name: unknown): Fault | null {
  if (name === null || name === undefined || typeof name === "string") return null;
  return wrong("a name, null (no place here) or undefined (not known)", name);
}
