import { extname } from "node:path";
import { SegfuseError } from "../errors.ts";
import { decode, encode, isFloating, type WrittenDtype } from "./dtypes.ts";
import { requireOneMatch } from "./fit.ts";
import type { NameMap } from "./maps/contracts.ts";
import { summarise } from "./names.ts";
import { openWeights } from "./open.ts";
import { writeTensors, type TensorSource } from "./safetensors.ts";
import type { WeightFile } from "./weight_file.ts";
import { matchNames, prefixNotes } from "./wrappers.ts";

export interface ConvertInputs {
  /** A weight file of any format that is read. */
  readonly from: string;
  /** The safetensors file to write. */
  readonly to: string;
  /** The state dict of a PyTorch file that has several; absent: the one that fits the map, else the usual one. */
  readonly key?: string | undefined;
  readonly map?: { readonly type: string; readonly names: NameMap } | undefined;
  /** From segfuse's names to the map's; default: the other way. */
  readonly reverse?: boolean | undefined;
  /** Of floats; absent: each tensor stays what it is, bit for bit. Integers always do. */
  readonly dtype?: WrittenDtype | undefined;
}

/** All names are the input's. */
export interface ConvertResult {
  readonly written: number;
  /** Known to the map, without a place on the other side. */
  readonly dropped: readonly string[];
  /** Not known to the map, and left out. */
  readonly unknown: readonly string[];
  /** What else a user should know of the file. */
  readonly notes: readonly string[];
}

/**
 * Writes weights under other names, in another element type, or just as safetensors. One tensor at a time is in
 * memory.
 *
 * @throws SegfuseError of the input (`SEGFUSE_WEIGHTS_KEY` where it is not clear which of its state dicts is meant);
 * `SEGFUSE_NAME_MAP` where the map fits no name, `SEGFUSE_CONVERT_OUT` where
 * another format than safetensors is asked for, `SEGFUSE_WEIGHTS_DTYPE` for a number too large for F16
 */
export async function convertWeights(inputs: ConvertInputs): Promise<ConvertResult> {
  const { from, to, dtype, key, map } = inputs;
  if (extname(to) !== ".safetensors") {
    throw new SegfuseError("SEGFUSE_CONVERT_OUT", "weights are written as safetensors alone", {
      where: to,
      expected: "a name that ends in .safetensors",
      advice: "PyTorch reads them: safetensors.torch.load_file(path)",
    });
  }
  const isKnown = (name: string) => translation(inputs, name) !== undefined;
  const fits = (names: Iterable<string>) => matchNames(names, isKnown).fits;
  const file = await openWeights(from, { key, ...(map === undefined ? {} : { fits }) });
  try {
    const { names, dropped, unknown, prefix } = rename(file, inputs);
    const tensors = new Map<string, TensorSource>();
    for (const [name, newName] of names) tensors.set(newName, source(file, name, dtype));
    await writeTensors(to, tensors, { ...file.metadata, format: "pt" });
    return { written: names.size, dropped, unknown, notes: [...file.notes, ...prefixNotes(prefix)] };
  } finally {
    await file.close();
  }
}

/** One line for the user. */
export function describeConversion({ written, dropped, unknown }: Omit<ConvertResult, "notes">): string {
  const part = (names: readonly string[], what: string) =>
    names.length === 0 ? "" : `, ${names.length} ${what} (${summarise(names)})`;
  return `${written} tensors${part(dropped, "dropped")}${part(unknown, "unknown to the map and left out")}`;
}

function rename(
  file: WeightFile,
  inputs: ConvertInputs,
): { names: Map<string, string>; dropped: string[]; unknown: string[]; prefix: string } {
  const { map, reverse = false, from } = inputs;
  const names = new Map<string, string>();
  const dropped: string[] = [];
  const unknown: string[] = [];
  if (map === undefined) {
    for (const name of file.names()) names.set(name, name);
    return { names, dropped, unknown, prefix: "" };
  }
  const found = matchNames(file.names(), (name) => translation(inputs, name) !== undefined);
  requireOneMatch(file, found);
  const plain = new Map([...found.names].map(([name, fileName]) => [fileName, name]));
  const taken = new Map<string, string>();
  for (const fileName of file.names()) {
    const name = plain.get(fileName);
    const translated = name === undefined ? undefined : translation(inputs, name);
    if (translated === undefined) unknown.push(fileName);
    else if (translated === null) dropped.push(fileName);
    else {
      const other = taken.get(translated);
      if (other !== undefined) throw mapError(`${other} and ${fileName} both become ${translated}`);
      taken.set(translated, fileName);
      names.set(fileName, translated);
    }
  }
  const back = { map, reverse: !reverse };
  const isOtherWay = unknown.length > 0 && unknown.every((name) => translation(back, name) !== undefined);
  if (names.size === 0 || isOtherWay) {
    const some = unknown.length === 0 ? file.names() : unknown;
    throw mapError(some.length === 0 ? "no tensors" : summarise(some), isOtherWay);
  }
  return { names, dropped, unknown, prefix: found.prefix };

  function mapError(found: string, otherWay = false): SegfuseError {
    const theirs = `names of ${map!.type}`;
    return new SegfuseError("SEGFUSE_NAME_MAP", "the name map does not fit the weights", {
      where: from,
      expected: reverse ? `names of segfuse that ${map!.type} has as well` : theirs,
      found,
      advice: otherWay
        ? `${reverse ? "without" : "with"} --reverse: the file has ${reverse ? theirs : "names of segfuse"}`
        : "another --map (segfuse list name_map)",
    });
  }
}

/** As {@link NameMap} says of a name; the name itself without a map. */
function translation(
  { map, reverse = false }: Pick<ConvertInputs, "map" | "reverse">,
  name: string,
): string | null | undefined {
  if (map === undefined) return name;
  return reverse ? map.names.toTheirs(name) : map.names.toOurs(name);
}

function source(file: WeightFile, name: string, wanted: WrittenDtype | undefined): TensorSource {
  const { dtype, shape } = file.info(name);
  if (wanted === undefined || wanted === dtype || !isFloating(dtype)) {
    return { dtype, shape, bytes: () => file.readBytes(name) };
  }
  const where = `${file.path}, tensor ${name}`;
  const bytes = async () =>
    encode(wanted, decode(dtype, await file.readBytes(name), where) as Float32Array, where);
  return { dtype: wanted, shape, bytes };
}
