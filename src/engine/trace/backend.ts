import * as tf from "@tensorflow/tfjs";
import type { DataType, Tensor, TensorInfo } from "@tensorflow/tfjs";
import { SegfuseError } from "../../errors.ts";
import type { TraceMemory, TraceNode, TraceSource, TraceValue } from "./nodes.ts";
import type { KernelInputs, ShapedOutput } from "./shapes/types.ts";

/** A piece of memory that would be there on a real engine. */
interface Block {
  readonly bytes: number;
  readonly source: TraceSource;
  users: number;
}

/** A tensor's data, as far as there is any. */
interface Entry {
  readonly block: Block;
  readonly source: TraceSource;
  /** Of constants that are short: what the code that is traced may read back. */
  readonly values: tf.backend_util.BackendValues | null;
  /** TF.js's count of the tensors that share it. */
  references: number;
}

/** Constants up to this many numbers can be read back; longer ones are not held. */
const readable = 4096;

/**
 * A backend of TF.js that computes nothing and holds no data: it knows each tensor's shape, where the tensor
 * comes from and how many bytes it would take, and records every operation.
 */
export class TraceBackend extends tf.KernelBackend {
  readonly nodes: TraceNode[] = [];
  /** The innermost module that threw an error; "" where none did. */
  failedAt = "";
  private readonly entries = new Map<object, Entry>();
  private readonly paths: string[] = [];
  private live = 0;
  private peak = 0;
  private parameterBytes = 0;
  private kept: Map<number, number> | null = null;
  private inBackward = false;

  /** A tensor without values that records call by `name`. The caller's scope owns it. */
  tensor<T extends Tensor>(
    kind: "input" | "parameter",
    name: string,
    shape: readonly number[],
    dtype: DataType = "float32",
  ): T {
    if (kind === "parameter") this.parameterBytes += bytesOf(shape, dtype);
    return this.wrap(this.add({ shape: [...shape], dtype }, { kind, name })) as T;
  }

  /** Runs `run` as a part of the module that is called `path`. */
  within<T>(path: string, run: () => T): T {
    this.paths.push(path);
    try {
      return run();
    } catch (error) {
      this.failedAt ||= path;
      throw error;
    } finally {
      this.paths.pop();
    }
  }

  /** The module that runs at the moment; "" outside of all. */
  get path(): string {
    return this.paths.at(-1) ?? "";
  }

  /** The forward pass is over: what lies in memory now waits for the gradients. */
  startBackward(): void {
    this.inBackward = true;
  }

  /**
   * Records an operation that has no kernel in TF.js and gives its outputs. Call where TF.js records no
   * gradient (in `customOp` or a gradient function).
   */
  run(
    op: string,
    inputs: Readonly<Record<string, Tensor>>,
    attributes: Readonly<Record<string, unknown>>,
    outputs: readonly (readonly number[])[],
  ): Tensor[] {
    const shaped = outputs.map((shape): ShapedOutput => ({ shape: [...shape], dtype: "float32" }));
    return this.record(op, inputs, attributes, shaped).map((info) => this.wrap(info));
  }

  /** Records an operation; its outputs lie in new memory, or in that of the input which they view. */
  record(
    op: string,
    inputs: KernelInputs,
    attributes: Readonly<Record<string, unknown>>,
    outputs: readonly ShapedOutput[],
  ): TensorInfo[] {
    this.noteKept();
    const id = this.nodes.length;
    const [only] = outputs;
    // A copy is none to anyone but TF.js's count of tensors: what reads it reads the original.
    if (only?.view !== undefined && tf.util.arraysEqual(only.shape, only.view.shape))
      return [this.view(only, this.sourceOf(only.view))];
    this.nodes.push({
      id,
      op,
      path: this.path,
      attributes: { ...attributes },
      inputs: Object.values(inputs)
        .filter((tensor) => tensor != null)
        .map((tensor) => this.describe(tensor)),
      outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype })),
      backward: this.inBackward,
    });
    return outputs.map((output, i) => {
      const source: TraceSource = { kind: "node", node: id, output: i };
      return output.view === undefined ? this.add(output, source) : this.view(output, source);
    });
  }

  /** Where a tensor comes from. Tensors of another engine count as constants. */
  sourceOf({ dataId }: TensorInfo): TraceSource {
    return this.entries.get(dataId)?.source ?? { kind: "constant" };
  }

  memorySummary(): TraceMemory {
    return { parameters: this.parameterBytes, peak: this.peak, kept: this.kept ?? new Map() };
  }

  private describe(tensor: TensorInfo): TraceValue {
    return { shape: [...tensor.shape], dtype: tensor.dtype, source: this.sourceOf(tensor) };
  }

  private wrap(info: TensorInfo): Tensor {
    return tf.engine().makeTensorFromTensorInfo(info, this);
  }

  private add(
    { shape, dtype }: { shape: number[]; dtype: DataType },
    source: TraceSource,
    values: Entry["values"] = null,
  ): TensorInfo {
    const bytes = bytesOf(shape, dtype);
    this.live += bytes;
    this.peak = Math.max(this.peak, this.live);
    const block: Block = { bytes, source, users: 1 };
    const dataId = {};
    this.entries.set(dataId, { block, source, values, references: 1 });
    return { dataId, shape, dtype };
  }

  private view({ shape, dtype, view }: ShapedOutput, source: TraceSource): TensorInfo {
    const viewed = this.entries.get(view!.dataId);
    if (viewed === undefined) return this.add({ shape, dtype }, source);
    viewed.block.users++;
    const dataId = {};
    this.entries.set(dataId, { block: viewed.block, source, values: viewed.values, references: 1 });
    return { dataId, shape, dtype };
  }

  /** At the first operation of the backward pass: which memory the forward pass has left. */
  private noteKept(): void {
    if (!this.inBackward || this.kept !== null) return;
    this.kept = new Map();
    for (const { bytes, source } of new Set([...this.entries.values()].map(({ block }) => block))) {
      if (source.kind === "node") this.kept.set(source.node, (this.kept.get(source.node) ?? 0) + bytes);
    }
  }

  // What TF.js asks of a backend.

  override write(values: tf.backend_util.BackendValues | null, shape: number[], dtype: DataType): object {
    const held = values !== null && values.length <= readable ? values : null;
    return this.add({ shape, dtype }, { kind: "constant" }, held).dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: DataType,
    references: number,
  ): void {
    const copy = this.write(values, shape, dtype);
    this.entries.set(dataId, { ...this.entries.get(copy)!, references });
    this.entries.delete(copy);
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const values = this.entries.get(dataId)?.values;
    if (values != null) return values;
    throw new SegfuseError("SEGFUSE_TRACE_VALUES", "a network reads the values of its tensors as it runs", {
      ...(this.path === "" ? {} : { where: this.path }),
      expected: "a forward pass of tensor operations alone, which can be followed by shapes",
      found: "dataSync(), arraySync(), print() or the like",
      advice: "choose by shapes and options, or by tensor operations such as tf.where",
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface is asynchronous, the error is not
  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    const entry = this.entries.get(dataId);
    if (entry === undefined) return true;
    entry.references--;
    if (entry.references > 0 && !force) return false;
    this.entries.delete(dataId);
    entry.block.users--;
    if (entry.block.users === 0) this.live -= entry.block.bytes;
    return true;
  }

  override refCount(dataId: object): number {
    return this.entries.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    const entry = this.entries.get(dataId);
    if (entry !== undefined) entry.references++;
  }

  override numDataIds(): number {
    return this.entries.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {
    this.entries.clear();
  }
}

function bytesOf(shape: readonly number[], dtype: DataType): number {
  return shape.reduce((product, n) => product * n, dtype === "bool" ? 1 : 4);
}
