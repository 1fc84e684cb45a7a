import type { Size } from "../util/size.ts";
import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { conv2d } from "../engine/ops/index.ts";
import type { NetworkContext } from "./context.ts";
import type { Conv2d } from "./conv2d.ts";
import type { Dropout2d } from "./dropout.ts";
import { resizeTo } from "./resize.ts";

// What fusion does with maps of several sizes. A bilinear resize is linear and works on each channel by
// itself, so sums, concatenations and 1×1 convolutions may come before it, where maps are small. Dilated
// backbones have three levels of one size: one resize then does for three.

/** Σ up(x): all maps resized to `size` and added. */
export function sumResized(maps: readonly Tensor4D[], size: Size, context: NetworkContext): Tensor4D {
  const bySize = new Map<string, Tensor4D[]>();
  for (const map of maps) {
    const key = sizeKey(map);
    bySize.set(key, [...(bySize.get(key) ?? []), map]);
  }
  return add([...bySize.values()].map((equal) => resizeTo(add(equal), size, context)));
}

/** For every map the sum of all others, resized to its size: Σ_{i≠l} up(x_i). */
export function sumOfOthers(maps: readonly Tensor4D[], context: NetworkContext): Tensor4D[] {
  const totals = new Map<string, Tensor4D>();
  return maps.map((own) => {
    const size: Size = [own.shape[1], own.shape[2]];
    const key = sizeKey(own);
    if (maps.filter((map) => sizeKey(map) === key).length === 1) {
      return sumResized(
        maps.filter((map) => map !== own),
        size,
        context,
      );
    }
    // Levels of one size share one sum and take themselves out of it.
    const total = totals.get(key) ?? sumResized(maps, size, context);
    totals.set(key, total);
    return tf.sub(total, own);
  });
}

/** concat(up(x_1), …, up(x_n)) along channels. */
export function concatResized(maps: readonly Tensor4D[], size: Size, context: NetworkContext): Tensor4D {
  return concat(runsOfEqualSize(maps).map((run) => resizeTo(concat(run), size, context)));
}

/**
 * conv(dropout(concat(up(x_1), …, up(x_n)))) for a 1×1 convolution: each map is convolved with its own rows
 * of the kernel at its own size, and the results are resized and added. Equal to what it is called after,
 * but without the wide map at the finest size: 37 % of the multiply-adds of the classifier after gated fully fusion at stride 8, and
 * a tape that holds as many channels of the finest size as `conv` puts out.
 *
 * With `context.literal` it is computed as written.
 *
 * @param size of the result
 * @param dropout over all channels of the concatenation; none where left out
 */
export function convOfConcat(
  conv: Conv2d,
  maps: readonly Tensor4D[],
  size: Size,
  context: NetworkContext,
  dropout?: Dropout2d,
): Tensor4D {
  const drop = (x: Tensor4D, first: number) => (dropout === undefined ? x : dropout.forward(x, first));
  if (context.literal) return conv.forward(drop(concatResized(maps, size, context), 0));

  const weight = conv.weight.value<Tensor4D>();
  let first = 0;
  const terms = runsOfEqualSize(maps).map((run) => {
    const x = drop(concat(run), first);
    const channels = x.shape[3];
    const rows = tf.slice4d(weight, [0, 0, first, 0], [1, 1, channels, -1]);
    first += channels;
    return resizeTo(conv2d(x, rows, {}), size, context);
  });
  const y = add(terms);
  return conv.bias === null ? y : tf.add(y, conv.bias.value<Tensor1D>());
}

function runsOfEqualSize(maps: readonly Tensor4D[]): Tensor4D[][] {
  const runs: Tensor4D[][] = [];
  for (const map of maps) {
    const run = runs.at(-1);
    if (run !== undefined && sizeKey(run[0]!) === sizeKey(map)) run.push(map);
    else runs.push([map]);
  }
  return runs;
}

function sizeKey(map: Tensor4D): string {
  return `${map.shape[1]}×${map.shape[2]}`;
}

function add(maps: readonly Tensor4D[]): Tensor4D {
  return maps.length === 1 ? maps[0]! : tf.addN([...maps]);
}

function concat(maps: readonly Tensor4D[]): Tensor4D {
  return maps.length === 1 ? maps[0]! : tf.concat([...maps], 3);
}
