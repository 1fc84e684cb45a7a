import { shortList } from "../util/short_list.ts";
import { SegfuseError } from "../errors.ts";
import { nameMaps } from "./maps/index.ts";

import type { WeightFile } from "./weight_file.ts";
import { matchNames, type NameMatch } from "./wrappers.ts";

const shownNames = 4;

/** @throws SegfuseError `SEGFUSE_WEIGHTS_KEY` where two parts of a file fit as well as each other */
export function requireOneMatch(file: WeightFile, { prefix, rivals, fits }: NameMatch): void {
  if (rivals.length === 0 || fits === 0) return;
  const parts = [prefix, ...rivals].map((part) => part.slice(0, -1));
  throw new SegfuseError("SEGFUSE_WEIGHTS_KEY", "several parts of a weight file fit the network", {
    where: file.path,
    expected: `one of ${parts.join(", ")}`,
    advice: "--key KEY; in a config init_key, or pretrained_key of the backbone",
  });
}

/** What a start from weights asks of them. */
export interface FitOptions {
  /** Of a backbone's file: `backbone`. */
  readonly prefix?: string;
  /** The least share (0..1) of the tensors that are looked for. Default 0: one tensor. */
  readonly minLoaded?: number;
  /** The state dict that was chosen. */
  readonly key?: string | null | undefined;
}

/**
 * A start from weights of which nothing, or too little, fits is none.
 *
 * @param wanted names that are looked for
 * @param count how many of them the file gives
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FIT`
 */
export function requireFit(
  file: WeightFile,
  wanted: ReadonlySet<string>,
  count: number,
  options: FitOptions,
): void {
  const { minLoaded = 0 } = options;
  if (wanted.size === 0 || (count > 0 && count >= minLoaded * wanted.size)) return;
  const names = file.names().filter((name) => !name.endsWith("num_batches_tracked"));
  const amount = count === 0 ? "nothing" : "too little";
  const least = minLoaded === 0 ? "" : `at least ${Math.ceil(minLoaded * wanted.size)} of `;
  throw new SegfuseError("SEGFUSE_WEIGHTS_FIT", `${amount} of a weight file fits the network`, {
    where: file.path,
    expected: `${least}${wanted.size} tensors: ${shortList([...wanted], shownNames)}`,
    found: `${count} of them; the file has ${names.length}: ${shortList(names, shownNames)}`,
    advice: advice(file, wanted, count, options),
  });
}

function advice(
  file: WeightFile,
  wanted: ReadonlySet<string>,
  count: number,
  { prefix, minLoaded = 0, key }: FitOptions,
): string {
  if (count > 0)
    return `min_loaded below ${Math.floor((count / wanted.size) * 100) / 100} (now ${minLoaded}), or other weights`;
  const names = file.names();
  const inBackbone = (name: string) => wanted.has(`backbone.${name}`);
  if (prefix === undefined && matchNames(names, inBackbone).fits > 0)
    return "model.backbone.pretrained: these are the names of a backbone alone";
  const holders = key == null ? likelyHolders(names, wanted) : [];
  if (holders.length > 0) {
    const keys = holders.slice(0, shownNames).map((holder) => `--key ${holder}`);
    return `${keys.join(" or ")} (init_key, pretrained_key): the names fit after it`;
  }
  for (const record of nameMaps) {
    const map = record.create({});
    const isOurs = (name: string) => {
      const ours = map.toOurs(name);
      return ours != null && wanted.has(prefix === undefined ? ours : ours.slice(prefix.length + 1));
    };
    if (matchNames(names, isOurs).fits > 0)
      return `segfuse convert ${file.path} OUT.safetensors --map ${record.type}, and OUT here`;
  }
  if (key != null) return "no key: of all state dicts in the file the one is taken that fits";
  return "weights of such a network; names of another tool become segfuse's by segfuse convert --map";
}

/** Beginnings of names after which most of what is wanted comes; at least half of it, so that it is no accident. */
function likelyHolders(names: readonly string[], wanted: ReadonlySet<string>): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
      if (!wanted.has(name.slice(dot + 1))) continue;
      const holder = name.slice(0, dot);
      counts.set(holder, (counts.get(holder) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, count]) => count >= wanted.size / 2).map(([holder]) => holder);
}
