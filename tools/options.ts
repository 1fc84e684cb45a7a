import { InvalidArgumentError, Option } from "commander";
import { nearestName } from "../src/config/nearest.ts";
import { writtenDtypes } from "../src/weights/dtypes.ts";

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** Of `--key`, wherever weights are read. */
export const keyDescription =
  "which state dict of a PyTorch file, such as ema_state_dict (default: the one that fits)";

/** One of a few names; the nearest is told where it is none of them. */
export function oneOf<T extends string>(choices: readonly T[]): (value: string) => T {
  return (value) => {
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    const { nearest } = nearestName(value, choices);
    const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
    throw new InvalidArgumentError(`one of ${choices.join(", ")} is expected.${hint}`);
  };
}

/** `a,b` as a list. */
export function names(value: string): string[] {
  const list = value.split(",").map((name) => name.trim());
  if (list.some((name) => name === ""))
    throw new InvalidArgumentError("names separated by commas are expected.");
  return list;
}

/** A whole number from 0 on. */
export function integer(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("a whole number from 0 on is expected.");
  return Number(value);
}

/** `0,1,2` as numbers. */
export function integers(value: string): number[] {
  return names(value).map(integer);
}

/** `--dtype F32|F16`: floats of a weight file that is written; either case is taken. */
export function dtypeOption(description: string): Option {
  const option = new Option("--dtype <type>", description).choices([...writtenDtypes]);
  const parse = option.parseArg!;
  return option.argParser((value, before: string) => parse(value.toUpperCase(), before));
}

/** `512x1024` as [height, width]. */
export function imageSize(value: string): [number, number] {
  const [, height, width] = /^([1-9]\d{0,4})[x×]([1-9]\d{0,4})$/.exec(value) ?? [];
  if (height === undefined)
    throw new InvalidArgumentError("HEIGHTxWIDTH in pixels is expected, such as 512x1024.");
  return [Number(height), Number(width)];
}
