import { extname } from "node:path";
import { SegfuseError } from "../errors.ts";
import { decode, encode, isFloating, type WrittenDtype } from "./dtypes.ts";
import type { NameMap } from "./maps/contracts.ts";
import { summarise } from "./names.ts";
import { openWeights } from "./open.ts";
import { writeTensors, type TensorSource } from "./safetensors.ts";
import type { WeightFile } from "./weight_file.ts";

export interface ConvertInputs {
  /** A weight file of any format that is read. */
  readonly from: string;
  /** The safetensors file to write. */
  readonly to: string;
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
}

/**
 * Writes weights under other names, in another element type, or just as safetensors. One tensor at a time is in
 * memory.
 *
 * @throws SegfuseError of the input; `SEGFUSE_NAME_MAP` where the map fits no name, `SEGFUSE_CONVERT_OUT` where
 * another format than safetensors is asked for, `SEGFUSE_WEIGHTS_DTYPE` for a number too large for F16
 */
export async function convertWeights(inputs: ConvertInputs): Promise<ConvertResult> {
  const { from, to, dtype } = inputs;
  if (extname(to) !== ".safetensors") {
    throw new SegfuseError("SEGFUSE_CONVERT_OUT", "weights are written as safetensors alone", {
      where: to,
      expected: "a name that ends in .safetensors",
      advice: "PyTorch reads them: safetensors.torch.load_file(path)",
    });
  }
  const file = await openWeights(from);
  try {
    const { names, dropped, unknown } = rename(file, inputs);
    const tensors = new Map<string, TensorSource>();
    for (const [name, newName] of names) tensors.set(newName, source(file, name, dtype));
    await writeTensors(to, tensors, { ...file.metadata, format: "pt" });
    return { written: names.size, dropped, unknown };
  } finally {
    await file.close();
  }
}

/** One line for the user. */
export function describeConversion({ written, dropped, unknown }: ConvertResult): string {
  const part = (names: readonly string[], what: string) =>
    names.length === 0 ? "" : `, ${names.length} ${what} (${summarise(names)})`;
  return `${written} tensors${part(dropped, "dropped")}${part(unknown, "unknown to the map and left out")}`;
}

function rename(
  file: WeightFile,
  { map, reverse = false, from }: ConvertInputs,
): { names: Map<string, string>; dropped: string[]; unknown: string[] } {
  const names = new Map<string, string>();
  const dropped: string[] = [];
  const unknown: string[] = [];
  if (map === undefined) {
    for (const name of file.entries.keys()) names.set(name, name);
    return { names, dropped, unknown };
  }
  const translate = (name: string, back: boolean) =>
    back ? map.names.toTheirs(name) : map.names.toOurs(name);
  const taken = new Map<string, string>();
  for (const name of file.entries.keys()) {
    const translated = translate(name, reverse);
    if (translated === undefined) unknown.push(name);
    else if (translated === null) dropped.push(name);
    else {
      const other = taken.get(translated);
      if (other !== undefined) throw mapError(`${other} and ${name} both become ${translated}`);
      taken.set(translated, name);
      names.set(name, translated);
    }
  }
  const isOtherWay = unknown.length > 0 && unknown.every((name) => translate(name, !reverse) !== undefined);
  if (names.size === 0 || isOtherWay) {
    const some = unknown.length === 0 ? [...file.entries.keys()] : unknown;
    throw mapError(some.length === 0 ? "no tensors" : summarise(some), isOtherWay);
  }
  return { names, dropped, unknown };

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
