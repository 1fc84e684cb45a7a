import { endianness } from "node:os";
import { SegfuseError } from "../errors.ts";

/** What a tensor is in memory. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

const widths = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** The element types that weight files are read in, by their names in safetensors. */
export type Dtype = keyof typeof widths;

/** The float types that are written. */
export type WrittenDtype = "F32" | "F16";
export const writtenDtypes: readonly WrittenDtype[] = ["F32", "F16"];

/** Undefined for a type that is not known. */
export function bytesPerElement(dtype: Dtype): number;
export function bytesPerElement(dtype: string): number | undefined;
export function bytesPerElement(dtype: string): number | undefined {
  return Object.hasOwn(widths, dtype) ? widths[dtype as Dtype] : undefined;
}

export function isFloating(dtype: Dtype): boolean {
  return dtype === "F64" || dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/**
 * Little-endian bytes as numbers: floats of any width become float32 (F64 is rounded), U8 stays, other
 * integers become int32.
 *
 * @param bytes its whole own buffer
 * @param where names the tensor in messages
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where an integer does not fit into 32 bits
 */
export function decode(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>, where: string): TensorValues {
  const { buffer } = bytes;
  if (dtype === "U8") return bytes;
  if (endianness() === "LE") {
    if (dtype === "F32") return new Float32Array(buffer);
    if (dtype === "I32") return new Int32Array(buffer);
  }
  const view = new DataView(buffer);
  const count = bytes.length / widths[dtype];
  switch (dtype) {
    case "F64":
      return floats(count, (i) => view.getFloat64(8 * i, true));
    case "F32":
      return floats(count, (i) => view.getFloat32(4 * i, true));
    case "F16":
      return floats(count, (i) => fromFloat16(view.getUint16(2 * i, true)));
    case "BF16": {
      // the upper half of a float32
      const bits = new Uint32Array(count);
      for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return new Float32Array(bits.buffer);
    }
    case "I64":
      return integers(count, (i) => view.getBigInt64(8 * i, true), where);
    case "U64":
      return integers(count, (i) => view.getBigUint64(8 * i, true), where);
    case "I32":
      return integers(count, (i) => view.getInt32(4 * i, true), where);
    case "U32":
      return integers(count, (i) => view.getUint32(4 * i, true), where);
    case "I16":
      return integers(count, (i) => view.getInt16(2 * i, true), where);
    case "U16":
      return integers(count, (i) => view.getUint16(2 * i, true), where);
    case "I8":
      return integers(count, (i) => view.getInt8(i), where);
    case "BOOL":
      return integers(count, (i) => view.getUint8(i), where);
  }
}

/**
 * float32 numbers as little-endian bytes. F16 rounds to the nearest, ties to even, as PyTorch's `half()`.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_DTYPE` where a finite number would become infinite
 */
export function encode(dtype: WrittenDtype, values: Float32Array, where: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * widths[dtype]);
  const view = new DataView(bytes.buffer);
  if (dtype === "F32") {
    for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
    return bytes;
  }
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const half = toFloat16(bits[i]!);
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(values[i])) {
      throw new SegfuseError("SEGFUSE_WEIGHTS_DTYPE", "a weight is too large for F16", {
        where,
        expected: "numbers between -65504 and 65504",
        found: String(values[i]),
        advice: "F32",
      });
    }
    view.setUint16(2 * i, half, true);
  }
  return bytes;
}

function floats(count: number, at: (index: number) => number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i);
  return values;
}

function integers(count: number, at: (index: number) => number | bigint, where: string): Int32Array {
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = at(i);
    values[i] = Number(value);
    if (BigInt(values[i]!) !== BigInt(value)) {
      throw new SegfuseError(
        "SEGFUSE_WEIGHTS_FILE",
        "an integer of a weight file does not fit into 32 bits",
        {
          where,
          found: value.toString(),
        },
      );
    }
  }
  return values;
}

/** IEEE 754 half precision: sign, 5 bits of exponent (bias 15), 10 of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** From the bits of a float32, rounded to the nearest, ties to even. */
function toFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  const exponent = (magnitude >>> 23) - 112; // 127 of float32's bias less 15 of float16's
  if (exponent <= 0) {
    // A multiple of 2^-24, or zero: the fraction with its hidden bit, shifted.
    if (exponent < -10) return sign;
    return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, 14 - exponent);
  }
  // A carry out of the fraction raises the exponent, up to infinity: both as they should.
  return sign | Math.min(roundedShift(magnitude - (112 << 23), 13), 0x7c00);
}

function roundedShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
