import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import type { Fault } from "../registry/guard/owner.ts";
import { show } from "../util/show.ts";

// Whether what a plug-in's part of a network gives has the shapes that it promised.

/** What is kept of a tensor that was disposed of is only its shape. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof tf.Tensor && !value.isDisposed;
}

export function showMap(value: unknown): string {
  return value instanceof tf.Tensor && value.isDisposed ? `${show(value)}, disposed of` : show(value);
}

/** A row of a shape: a number, or a range that it must lie in. */
export type Extent = number | readonly [least: number, most: number] | null;

export function checkMaps(maps: unknown, expected: readonly (readonly Extent[])[]): Fault | null {
  const list: readonly unknown[] = Array.isArray(maps) ? maps : [];
  const isRight = Array.isArray(maps) && list.length === expected.length;
  if (isRight && expected.every((shape, i) => hasShape(list[i], shape))) return null;
  return {
    expected: `${expected.length === 1 ? "a list of one map" : `${expected.length} maps`} ${expected.map(showExtents).join(", ")}`,
    found: Array.isArray(maps) ? list.map(showMap).join(", ") || "an empty list" : showMap(maps),
  };
}

export function hasShape(map: unknown, extents: readonly Extent[]): boolean {
  if (!isTensor(map) || map.rank !== extents.length) return false;
  return extents.every((extent, i) => {
    const size = map.shape[i]!;
    if (extent === null) return true;
    return typeof extent === "number" ? size === extent : size >= extent[0] && size <= extent[1];
  });
}

export function showExtents(extents: readonly Extent[]): string {
  const texts = extents.map((extent) => {
    if (extent === null) return "*";
    if (typeof extent === "number" || extent[0] === extent[1])
      return String(extent instanceof Array ? extent[0] : extent);
    return extent.join("–");
  });
  return `[${texts.join(", ")}]`;
}
