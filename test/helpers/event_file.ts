/** A scalar of a TensorBoard file. */
export interface ScalarEvent {
  tag: string;
  step: number;
  value: number;
}

/**
 * Reads the scalars of an `events.out.tfevents` file: TFRecord framing with its masked CRC-32C sums, and of the
 * protocol buffers Event { step = 2, summary = 5 }, Summary { value = 1 }, Value { tag = 1, simple_value = 2,
 * tensor = 8 } and TensorProto { float_val = 5, tensor_content = 4 }.
 */
export function readEvents(file: Buffer): ScalarEvent[] {
  const events: ScalarEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 8) !== maskedSum(file.subarray(at, at + 8)))
      throw new Error(`length at ${at}`);
    if (file.readUInt32LE(at + 12 + length) !== maskedSum(data)) throw new Error(`data at ${at}`);
    at += 16 + length;
    const event = fields(data);
    const step = Number(event.find(({ number }) => number === 2)?.value ?? 0);
    for (const summary of event.filter(({ number }) => number === 5)) {
      for (const { value } of fields(summary.value as Buffer).filter(({ number }) => number === 1)) {
        events.push({ ...scalar(fields(value as Buffer)), step });
      }
    }
  }
  return events;
}

interface Field {
  number: number;
  value: bigint | number | Buffer;
}

function scalar(value: Field[]): { tag: string; value: number } {
  const tag = (value.find(({ number }) => number === 1)!.value as Buffer).toString();
  const simple = value.find(({ number }) => number === 2);
  if (simple !== undefined) return { tag, value: simple.value as number };
  const tensor = fields(value.find(({ number }) => number === 8)!.value as Buffer);
  const content = tensor.find(({ number }) => number === 4)?.value as Buffer | undefined;
  if (content !== undefined) return { tag, value: content.readFloatLE(0) };
  const packed = tensor.find(({ number }) => number === 5)?.value;
  if (packed === undefined) return { tag, value: 0 };
  return { tag, value: typeof packed === "number" ? packed : (packed as Buffer).readFloatLE(0) };
}

function fields(data: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = Number(varint());
    const number = key >> 3;
    switch (key & 7) {
      case 0:
        found.push({ number, value: varint() });
        break;
      case 1:
        found.push({ number, value: data.readDoubleLE(at) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        found.push({ number, value: data.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        found.push({ number, value: data.readFloatLE(at) });
        at += 4;
        break;
      default:
        throw new Error(`a field of type ${key & 7}`);
    }
  }
  return found;
}

function maskedSum(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  sum = (sum ^ 0xffffffff) >>> 0;
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
