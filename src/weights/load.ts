import { shortList } from "../util/short_list.ts";
import * as tf from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { globMatcher } from "../util/glob.ts";
import { isFloating } from "./dtypes.ts";
import { requireFit, requireOneMatch } from "./fit.ts";
import { fileShape, toFileOrder, toMemoryOrder } from "./layout.ts";
import { adaptInput, adaptionNote, isAdaptable } from "./input_channels.ts";
import { summarise } from "./names.ts";
import { openWeights } from "./open.ts";
import { needsCode, notFloating, type Metadata, type StoredTensor, type WeightFile } from "./weight_file.ts";
import { matchNames, prefixNotes } from "./wrappers.ts";

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
  /** What else a user should know: of the file, and of how its names were read. */
  readonly notes: readonly string[];
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
  /**
   * A first convolution that was trained on RGB is adapted where the network's images have another number of channels
   * (a start from weights, not a checkpoint of this very network). Default false.
   */
  readonly adaptsInput?: boolean;
  /** The state dict of a PyTorch file that has several (see {@link StateDictChoice}); null: the one that fits. */
  readonly key?: string | null | undefined;
  /** The least share (0..1) of the module's tensors that the file must give. Default 0: at least one tensor. */
  readonly minLoaded?: number;
}

/**
 * Reads a weight file (safetensors or PyTorch's) into a module, one tensor after the other. A parameter is found
 * by its name, with or without what a wrapper put before it (`module.`, `_orig_mod.`, `model.` …); a parameter that
 * has no variable yet gets one here, so that a network which is loaded whole is never initialised. Nothing is changed
 * where a name does not fit.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` for a missing or broken file, `SEGFUSE_WEIGHTS_GLOBAL` where only code
 * could make what is due, `SEGFUSE_WEIGHTS_KEY` where it is not clear which of the file's weights are meant,
 * `SEGFUSE_WEIGHTS_FIT` where nothing is loaded, or less than `minLoaded`, `SEGFUSE_WEIGHTS_SHAPE` where a name has
 * another shape and `allowFresh` does not match it, or where `complete` and a name is missing,
 * `SEGFUSE_WEIGHTS_CLASSES` where only classifiers differ, in their number of classes, `SEGFUSE_WEIGHTS_DTYPE` where
 * the file has integers
 */
export async function loadWeights(
  module: Module,
  path: string,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const wanted = wantedNames(module, options);
  const isWanted = (name: string) => wanted.has(name);
  const file = await openWeights(path, {
    key: options.key,
    fits: (names) => matchNames(names, isWanted).fits,
  });
  try {
    const prefix = options.prefix === undefined ? "" : `${options.prefix}.`;
    const found = matchNames(file.names(), isWanted);
    requireOneMatch(file, found);
    requireFit(file, wanted, found.fits, options);
    const plan = match(module, file, found.names, prefix, options);
    requireFit(file, wanted, plan.load.length, options);
    for (const { parameter, nameInFile, isAdapted } of plan.load) {
      const values = await file.readFloats(nameInFile);
      const [, , channels, out] = parameter.shape;
      assign(parameter, isAdapted ? adaptInput(values, out!, channels!) : values);
    }
    const adapted = plan.load.filter(({ isAdapted }) => isAdapted);
    return {
      file: path,
      loaded: plan.load.map(({ name }) => prefix + name),
      fresh: plan.fresh.map((name) => prefix + name),
      unused: plan.unused,
      metadata: file.metadata,
      notes: [
        ...file.notes,
        ...(prefix === found.prefix ? [] : prefixNotes(found.prefix)),
        ...adapted.map(({ name, parameter }) => adaptionNote(prefix + name, parameter.shape[2]!)),
      ],
    };
  } finally {
    await file.close();
  }
}

/** The module's names, without the network's prefix, that a file may give. */
function wantedNames(module: Module, { prefix, except = [] }: LoadOptions): ReadonlySet<string> {
  const isExcept = except.map(globMatcher);
  const full = (name: string) => (prefix === undefined ? name : `${prefix}.${name}`);
  const names = [...module.namedParameters()].map(([name]) => name);
  return new Set(names.filter((name) => !isExcept.some((matches) => matches(full(name)))));
}

/** A parameter that the file gives. */
interface Match {
  readonly name: string;
  readonly parameter: Parameter;
  readonly nameInFile: string;
  /** It has another number of input channels in the file. */
  readonly isAdapted: boolean;
}

interface Misfit {
  /** The network's. */
  readonly name: string;
  /** Shape as in a file. */
  readonly wanted: readonly number[];
  /** Undefined: absent. */
  readonly found: readonly number[] | undefined;
}

/** @param inFile names without what wraps them → the file's */
function match(
  module: Module,
  file: WeightFile,
  inFile: ReadonlyMap<string, string>,
  prefix: string,
  options: LoadOptions,
) {
  const mayStayFresh = (options.allowFresh ?? []).map(globMatcher);
  const except = (options.except ?? []).map(globMatcher);
  const load: Match[] = [];
  const fresh: string[] = [];
  const misfits: Misfit[] = [];
  const integers: string[] = [];
  const objects: string[] = [];
  const names = new Set<string>();
  for (const [name, parameter] of module.namedParameters()) {
    const nameInFile = inFile.get(name);
    if (nameInFile !== undefined) names.add(nameInFile);
    if (except.some((matches) => matches(prefix + name))) continue;
    const found = nameInFile === undefined ? undefined : file.entries.get(nameInFile);
    const wanted = fileShape(parameter.layout, parameter.shape);
    const mayBeFresh = mayStayFresh.some((matches) => matches(prefix + name));
    const isAdapted =
      options.adaptsInput === true &&
      parameter.seesImage &&
      !mayBeFresh &&
      found !== undefined &&
      isAdaptable(found.shape, wanted);
    if (nameInFile !== undefined && found !== undefined && (isAdapted || sameShape(found.shape, wanted))) {
      if (!isFloating(found.dtype)) integers.push(`${prefix}${name} is ${found.dtype}`);
      load.push({ name, parameter, nameInFile, isAdapted });
      continue;
    }
    const object = nameInFile === undefined ? undefined : file.unreadable.get(nameInFile);
    const isAllowed = nameInFile === undefined ? options.complete !== true : mayBeFresh;
    if (isAllowed) fresh.push(name);
    else if (object !== undefined) objects.push(`${nameInFile} is ${object}`);
    else misfits.push({ name: prefix + name, wanted, found: found?.shape });
  }
  if (objects.length > 0) throw needsCode(file.path, shortList(objects, 4, "; "));
  if (misfits.length > 0) throw misfit(misfits, file.path, options.complete === true);
  if (integers.length > 0) throw notFloating(file.path, integers);
  const unused = file.names().filter((name) => !names.has(name) && !name.endsWith("num_batches_tracked"));
  return { load, fresh, unused };
}

function misfit(misfits: readonly Misfit[], path: string, isComplete: boolean): SegfuseError {
  const [first] = misfits;
  if (misfits.every(differsInClasses)) {
    const patterns = [...new Set(misfits.map(({ name }) => `'${name.replace(/[^.]*$/, "*")}'`))];
    return new SegfuseError("SEGFUSE_WEIGHTS_CLASSES", "the weights are for another number of classes", {
      where: path,
      expected: `${first!.wanted[0]} classes, as the network has`,
      found: `${first!.found![0]}`,
      advice: isComplete
        ? "weights that were trained for these classes"
        : `--allow-fresh ${patterns.join(" --allow-fresh ")} (allow_fresh in the config) keeps all but the classifier`,
    });
  }
  const told = misfits.map(
    ({ name, wanted, found }) =>
      `${name} is [${wanted.join(", ")}], in the file ${found ? `[${found.join(", ")}]` : "absent"}`,
  );
  return new SegfuseError("SEGFUSE_WEIGHTS_SHAPE", "a weight file does not fit the network", {
    where: path,
    found: shortList(told, 4, "; "),
    advice: isComplete
      ? "weights of this very network"
      : "another file or config; weights that may start fresh: --allow-fresh PATTERN, or allow_fresh in the config",
  });
}

/** Classifiers are the only parameters whose first size counts classes; their names are the same in all heads. */
function differsInClasses({ name, wanted, found }: Misfit): boolean {
  return (
    /(^|\.)classifier\.(weight|bias)$/.test(name) &&
    found !== undefined &&
    sameShape(found.slice(1), wanted.slice(1)) &&
    found.length === wanted.length
  );
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
    names.length === 0 ? `0 ${label}` : `${names.length} ${label} (${summarise(names)})`;
  return `weights from ${file}: ${loaded.length} loaded, ${part("fresh", fresh)}, ${part("unused", unused)}`;
}
