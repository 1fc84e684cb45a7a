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

/** The element types of safetensors files that are read here. */
export type Dtype = keyof typeof widths;

/** Undefined for a type that is not known. */
export function bytesPerElement(dtype: string): number | undefined {
  return Object.hasOwn(widths, dtype) ? widths[dtype as Dtype] : undefined;
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
      return Float32Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true));
    case "F32":
      return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
    case "F16":
      return Float32Array.from({ length: count }, (_, i) => float16(view.getUint16(2 * i, true)));
    case "BF16": {
      // the upper half of a float32
      const bits = Uint32Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true) << 16);
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
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
