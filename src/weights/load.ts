import * as tf from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { globMatcher } from "../util/glob.ts";
import { fileShape, toFileOrder, toMemoryOrder } from "./layout.ts";
import { SafetensorsFile, type Metadata, type StoredTensor } from "./safetensors.ts";

/** What reading a weight file did to a network. All names are the network's own, in its order. */
export interface LoadReport {
  readonly file: string;
  /** Read from the file. */
  readonly loaded: readonly string[];
  /** Left as they were: the file lacks them, or has them in another shape and they may stay fresh. */
  readonly fresh: readonly string[];
  /** Only in the file (`num_batches_tracked` is passed over), by the file's names. */
  readonly unused: readonly string[];
  readonly metadata: Metadata;
}

export interface LoadOptions {
  /** The module's own name in the network: `backbone` for a file whose names do without it. */
  readonly prefix?: string;
  /** Patterns (`*` any characters) of the network's names that may stay fresh although the file has another shape. */
  readonly allowFresh?: readonly string[];
  /** Nothing may stay fresh (a checkpoint of this very network). Default false. */
  readonly complete?: boolean;
  /** Patterns of the network's names that are passed over: neither read nor reported. */
  readonly except?: readonly string[];
}

/**
 * Reads a weight file into a module. A parameter is found by its name; a parameter that has no variable yet
 * gets one here, so that a network which is loaded whole is never initialised. Nothing is changed where an
 * error is thrown.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` for a missing or broken file, `SEGFUSE_WEIGHTS_SHAPE` where a
 * name has another shape and `allowFresh` does not match it, or where `complete` and a name is missing
 */
export async function loadWeights(
  module: Module,
  path: string,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const file = await SafetensorsFile.open(path);
  try {
    const prefix = options.prefix === undefined ? "" : `${options.prefix}.`;
    const plan = match(module, file, prefix, options);
    for (const [name, parameter] of plan.load) assign(parameter, await file.readFloats(name));
    return {
      file: path,
      loaded: plan.load.map(([name]) => prefix + name),
      fresh: plan.fresh.map((name) => prefix + name),
      unused: plan.unused,
      metadata: file.metadata,
    };
  } finally {
    await file.close();
  }
}

function match(module: Module, file: SafetensorsFile, prefix: string, options: LoadOptions) {
  const mayStayFresh = (options.allowFresh ?? []).map(globMatcher);
  const except = (options.except ?? []).map(globMatcher);
  const load: [string, Parameter][] = [];
  const fresh: string[] = [];
  const wrong: string[] = [];
  const names = new Set<string>();
  for (const [name, parameter] of module.namedParameters()) {
    names.add(name);
    if (except.some((matches) => matches(prefix + name))) continue;
    const found = file.entries.get(name)?.shape;
    const wanted = fileShape(parameter.layout, parameter.shape);
    if (found !== undefined && sameShape(found, wanted)) {
      load.push([name, parameter]);
      continue;
    }
    const isAllowed =
      found === undefined
        ? options.complete !== true
        : mayStayFresh.some((matches) => matches(prefix + name));
    if (isAllowed) fresh.push(name);
    else
      wrong.push(
        `${prefix}${name} is [${wanted.join(", ")}], in the file ${found ? `[${found.join(", ")}]` : "absent"}`,
      );
  }
  if (wrong.length > 0) {
    throw new SegfuseError("SEGFUSE_WEIGHTS_SHAPE", "a weight file does not fit the network", {
      where: file.path,
      found: shorten(wrong, 4, "; "),
      advice: "another checkpoint or config; weights that may start fresh are named in allow_fresh",
    });
  }
  const unused = [...file.entries.keys()].filter(
    (name) => !names.has(name) && !name.endsWith("num_batches_tracked"),
  );
  return { load, fresh, unused };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Gives a parameter values in file order; it gets its variable here where it has none. */
export function assign(parameter: Parameter, values: Float32Array): void {
  tf.tidy(() => {
    const memory = toMemoryOrder(parameter.layout, parameter.shape, values);
    const tensor = tf.tensor(memory, [...parameter.shape]);
    if (parameter.isMaterialised) parameter.variable.assign(tensor);
    else parameter.materialise(tf.variable(tensor, parameter.trainable));
  });
}

/** The values of parameters as a file holds them: names kept, kernels in PyTorch's order, nothing shared. */
export async function storedTensors(
  parameters: Iterable<readonly [name: string, parameter: Parameter]>,
): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, parameter] of parameters) {
    const values = Float32Array.from(await parameter.variable.data());
    const { layout, shape } = parameter;
    tensors.set(name, { shape: fileShape(layout, shape), data: toFileOrder(layout, shape, values) });
  }
  return tensors;
}

/** One line: how many were loaded, which stayed fresh, which were not used; long lists without their names' last parts. */
export function describeLoad({ file, loaded, fresh, unused }: LoadReport): string {
  const part = (label: string, names: readonly string[]) =>
    names.length === 0
      ? `0 ${label}`
      : `${names.length} ${label} (${shorten(names.length > 6 ? groups(names) : names, 6, ", ")})`;
  return `weights from ${file}: ${loaded.length} loaded, ${part("fresh", fresh)}, ${part("unused", unused)}`;
}

function shorten(items: readonly string[], most: number, separator: string): string {
  const shown = items.slice(0, most).join(separator);
  return items.length > most ? `${shown}${separator}… (${items.length} in all)` : shown;
}

/** Names without their last part, each once: `layer4.0.conv1.weight` → `layer4.0.conv1`. */
function groups(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.replace(/\.[^.]*$/, "")))];
}
