import type { Dataset, DatasetInfo, RawSample, Sample, TransformInputs } from "./contracts.ts";
import { storedValues } from "./label_table.ts";
import { missingMethod, type Call, type Contract } from "../registry/guard/contract.ts";
import type { Fault } from "../registry/guard/owner.ts";
import { show } from "../util/show.ts";

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;

/** The contracts of what data workers make samples with: without TensorFlow.js, which they do not load. */
export const dataContracts = {
  dataset: { made: checkDataset, methods: { id: () => null, files: () => null, load: checkLoaded } },
  transform: {
    made: (made) =>
      missingMethod(made, ["apply"]) === undefined
        ? null
        : { expected: "an object with apply()", found: show(made) },
    methods: { apply: checkSample, applyDeferred: checkDeferred },
  },
} as const satisfies Readonly<Record<string, Contract>>;

/** What a data set says of itself. */
function checkDataset(made: unknown): Fault | null {
  const dataset = made as Partial<Dataset> | null;
  if (missingMethod(made, ["id", "files", "load"]) !== undefined)
    return { expected: `an object with id(), files(), load()`, found: show(made) };
  const { length, info } = dataset as Dataset;
  if (!isCount(length)) return { expected: "'length', the number of samples", found: show(length) };
  return checkInfo(info);
}

function checkInfo(info: Partial<DatasetInfo> | undefined): Fault | null {
  const { classes, palette, ignoreIndex } = info ?? {};
  if (!Array.isArray(classes) || classes.length === 0) {
    return { expected: "'info.classes', a list of names", found: show(classes) };
  }
  if (!Array.isArray(palette) || palette.length !== classes.length) {
    return { expected: `'info.palette', ${classes.length} colours [red, green, blue]`, found: show(palette) };
  }
  if (!isCount(ignoreIndex) || ignoreIndex! < classes.length || ignoreIndex! >= storedValues) {
    return {
      expected: `'info.ignoreIndex', a label from ${classes.length} to ${storedValues - 1}, behind the classes`,
      found: show(ignoreIndex),
    };
  }
  return null;
}

/** A sample as it is read: values of 8 or 16 bits and labels, all of them classes or ignored. */
function checkLoaded(result: unknown, { self }: Call): Fault | null {
  const { info } = self as Dataset;
  const { image, label } = (result ?? {}) as Partial<RawSample>;
  if (!isPicture(image, image?.channels)) {
    return {
      expected: `'image', { height, width, channels: 3, data: height · width · 3 bytes }`,
      found: showPicture(image),
    };
  }
  if (!isPicture(label, 1)) {
    return {
      expected: `'label', { height, width, data: height · width bytes }`,
      found: showPicture(label),
    };
  }
  return labelFault(label!.data, label!.width, info.classes.length, info.ignoreIndex);
}

/** Labels index things, so all of them are looked at, in a plain loop: a callback a pixel would take longer than to decode. */
function labelFault(
  labels: ArrayLike<number>,
  width: number,
  numClasses: number,
  ignoreIndex: number,
): Fault | null {
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at]!;
    if (label < numClasses || label === ignoreIndex) continue;
    return {
      expected: `labels 0–${numClasses - 1} or ${ignoreIndex}`,
      found: `${label} at row ${Math.floor(at / width)}, column ${at % width}`,
    };
  }
  return null;
}

/** What is still deferred has the pixels and labels that it came with. */
function checkDeferred(result: unknown, call: Call): Fault | null {
  const isDeferred = typeof result === "object" && result !== null && "source" in result;
  return isDeferred ? null : checkSample(result, call);
}

/** A sample on its way: sizes that are those of its data, as many channels as before, and labels that are classes. */
function checkSample(result: unknown, { args, made }: Call): Fault | null {
  const sample = result as Partial<Sample> | undefined;
  const { height = NaN, width = NaN, labelHeight = NaN, labelWidth = NaN, image, label } = sample ?? {};
  const [before = {}] = args as [Partial<Sample>?];
  const channels = channelCount(before) ?? Math.floor(channelCount({ image, height, width }) ?? NaN);
  if (!(image instanceof Float32Array) || image.length !== height * width * channels) {
    return {
      expected: "'image', a Float32Array of height · width · channels",
      found: image === undefined ? show(result) : `${image.length} values at ${height}x${width}`,
    };
  }
  if (!isStored(label) || label.length !== labelHeight * labelWidth) {
    return {
      expected: "'label', a Uint8Array of labelHeight · labelWidth",
      found: label === undefined ? show(result) : `${label.length} values at ${labelHeight}x${labelWidth}`,
    };
  }
  const { numClasses, ignoreIndex } = made[1] as TransformInputs;
  return numClasses === undefined ? null : labelFault(label, labelWidth, numClasses, ignoreIndex);
}

type Picture = { height: number; width: number; data: Uint8Array | Uint16Array };

function channelCount({ image, height = NaN, width = NaN }: Partial<Sample>): number | null {
  return image instanceof Float32Array ? image.length / (height * width) : null;
}

/** Values of 8 or 16 bits. */
function isStored(data: unknown): data is Picture["data"] {
  return data instanceof Uint8Array || data instanceof Uint16Array;
}

function isPicture(picture: Partial<Picture> | undefined, channels: number | undefined): boolean {
  const { height = NaN, width = NaN, data } = picture ?? {};
  return isStored(data) && data.length === height * width * (channels ?? NaN);
}

function showPicture(picture: Partial<Picture> | undefined): string {
  const { height, width, data } = picture ?? {};
  return data === undefined
    ? show(picture)
    : `${data.length} ${data instanceof Uint16Array ? "values" : "bytes"} at ${height}x${width}`;
}
