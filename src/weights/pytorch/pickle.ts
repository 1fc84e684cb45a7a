import { findGlobal, persistent } from "./globals.ts";
import {
  checkHashable,
  ForbiddenGlobalError,
  Global,
  Inert,
  PickleDict,
  PickledStorage,
  PickledTensor,
  PickleError,
  PickleList,
  PickleSet,
  PickleTuple,
  type PickleValue,
} from "./values.ts";

/** Where a pickle comes from. */
export interface ByteSource {
  /** The next bytes; they stay valid. @throws PickleError where there are fewer */
  take(length: number): Uint8Array;
}

/** A pickle that is in memory as a whole. */
export class BufferSource implements ByteSource {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new PickleError("a pickle that ends too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** Containers, stack and memo are bounded: a byte of pickle can cost hundreds of memory. */
const maxContainers = 1_000_000;
const maxDepthOfStack = 2_000_000;
const maxMemo = 4_000_000;
const maxIntegerBytes = 255;

const op = (character: string) => character.charCodeAt(0);

/** What a reader of a pickle is told while it is read. */
export interface PickleListener {
  /** Every storage that the pickle refers to. */
  readonly onStorage?: (storage: PickledStorage) => void;
  /** Every name that is not on the list of globals.ts, as often as it comes. */
  readonly onUnknown?: (name: string) => void;
}

/**
 * Reads one pickle of protocol 2 to 5 without running anything: a stack machine (Python's pickletools describes
 * it) that makes numbers, strings, containers, tensors' descriptions, and placeholders for all other objects. It
 * does not recurse, and what it holds is bounded. Operations that no pickler of these protocols writes are refused.
 *
 * @throws PickleError
 */
export function readPickle(source: ByteSource, listener: PickleListener = {}): PickleValue {
  return new Machine(source, listener).run();
}

class Machine {
  private stack: PickleValue[] = [];
  /** The stacks below the marks. */
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private containers = 0;
  private depth = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly listener: PickleListener,
  ) {}

  run(): PickleValue {
    for (;;) {
      const code = this.byte();
      if (code === op(".")) {
        const result = this.pop();
        if (this.stack.length > 0 || this.marks.length > 0) throw new PickleError("a pickle with leftovers");
        return result;
      }
      this.step(code);
    }
  }

  private step(code: number): void {
    switch (code) {
      case 0x80: {
        const protocol = this.byte();
        if (protocol < 2 || protocol > 5) throw new PickleError(`pickle protocol ${protocol}`);
        return;
      }
      case 0x95: // FRAME: only a hint for buffering
        this.source.take(8);
        return;
      case op("("):
        this.deepen();
        this.marks.push(this.stack);
        this.stack = [];
        return;
      case op("N"):
        return this.push(null);
      case 0x88:
        return this.push(true);
      case 0x89:
        return this.push(false);
      case op("J"):
        return this.push(this.view(4).getInt32(0, true));
      case op("K"):
        return this.push(this.byte());
      case op("M"):
        return this.push(this.view(2).getUint16(0, true));
      case op("G"):
        return this.push(this.view(8).getFloat64(0));
      case 0x8a:
        return this.push(integer(this.source.take(this.byte())));
      case 0x8b: {
        const length = this.view(4).getInt32(0, true);
        if (length < 0 || length > maxIntegerBytes) throw new PickleError(`an integer of ${length} bytes`);
        return this.push(integer(this.source.take(length)));
      }
      case 0x8c:
        return this.push(this.text(this.byte()));
      case op("X"):
        return this.push(this.text(this.length4()));
      case 0x8d:
        return this.push(this.text(this.length8()));
      // Python 2's strings: names and the like, and bytes that weights have no use for
      case op("U"):
        return this.push(Buffer.from(this.source.take(this.byte())).toString("latin1"));
      case op("T"):
        return this.push(Buffer.from(this.source.take(this.length4())).toString("latin1"));
      case op("C"):
        return this.push(this.source.take(this.byte()));
      case op("B"):
        return this.push(this.source.take(this.length4()));
      case 0x8e:
      case 0x96: // BINBYTES8, BYTEARRAY8
        return this.push(this.source.take(this.length8()));
      case op(")"):
        return this.make(new PickleTuple([]));
      case 0x85:
        return this.make(new PickleTuple([this.pop()]));
      case 0x86:
        return this.make(new PickleTuple(this.popSeveral(2)));
      case 0x87:
        return this.make(new PickleTuple(this.popSeveral(3)));
      case op("t"):
        return this.make(new PickleTuple(this.popMark()));
      case op("]"):
        return this.make(new PickleList([]));
      case op("}"):
        return this.make(new PickleDict());
      case 0x8f:
        return this.make(new PickleSet());
      case 0x91: {
        const set = new PickleSet();
        for (const item of this.popMark()) addItem(set, item);
        return this.make(set);
      }
      case op("a"): {
        const item = this.pop();
        return addAll(this.top(), [item]);
      }
      case op("e"): {
        const items = this.popMark();
        return addAll(this.top(), items);
      }
      case 0x90: {
        const items = this.popMark();
        const set = this.top();
        if (isPlaceholder(set)) return;
        if (!(set instanceof PickleSet)) throw new PickleError("an element for something that is no set");
        for (const item of items) addItem(set, item);
        return;
      }
      case op("s"): {
        const pair = this.popSeveral(2);
        return setItems(this.top(), pair);
      }
      case op("u"): {
        const items = this.popMark();
        return setItems(this.top(), items);
      }
      case op("c"): {
        const [module, name] = [this.line(), this.line()];
        return this.global(module, name);
      }
      case op("i"): {
        // INST makes an object of a class; no pickler of these protocols writes it.
        const [module, name] = [this.line(), this.line()];
        throw new ForbiddenGlobalError(`the name ${findGlobal(module, name).name}`);
      }
      case 0x93: {
        const [module, name] = this.popSeveral(2);
        if (typeof module !== "string" || typeof name !== "string")
          throw new PickleError("a name that is no text");
        return this.global(module, name);
      }
      case op("R"):
      case 0x81: {
        // REDUCE, NEWOBJ: for everything on the list the two mean the same
        const [callee, args] = this.popSeveral(2);
        return this.call(callee!, args!);
      }
      case 0x92: {
        // NEWOBJ_EX: with named arguments, which nothing on the list has
        const [callee, args, named] = this.popSeveral(3);
        if (!(named instanceof PickleDict) || (named.items.size > 0 && !isPlaceholder(callee)))
          throw new PickleError("a call with named arguments");
        return this.call(callee!, args!);
      }
      // POP and POP_MARK: after an object whose arguments lead back to itself
      case op("0"):
        this.pop();
        return;
      case op("1"):
        this.popMark();
        return;
      case op("b"):
        return this.build();
      case op("Q"): {
        const value = persistent(this.pop());
        if (value instanceof PickledStorage) this.listener.onStorage?.(value);
        return this.make(value);
      }
      case op("h"):
        return this.push(this.recall(this.byte()));
      case op("j"):
        return this.push(this.recall(this.view(4).getUint32(0, true)));
      case op("q"):
        return this.remember(this.byte());
      case op("r"):
        return this.remember(this.view(4).getUint32(0, true));
      case 0x94:
        return this.remember(this.memo.size);
      default:
        throw new PickleError(`the pickle operation 0x${code.toString(16).padStart(2, "0")}`);
    }
  }

  private global(module: string, name: string): void {
    const found = findGlobal(module, name);
    if (found.behaviour === null) this.listener.onUnknown?.(found.name);
    this.push(found);
  }

  private call(callee: PickleValue, args: PickleValue): void {
    if (!(args instanceof PickleTuple)) throw new PickleError("a call without arguments");
    if (callee instanceof Inert && callee.kind === "object") return this.make(callee);
    if (callee instanceof Global) {
      if (callee.behaviour === null) return this.make(callee.placeholder());
      if (callee.behaviour.call !== undefined) return this.make(callee.behaviour.call(args.items));
    }
    throw new PickleError(
      `a call of ${callee instanceof Global ? callee.name : "something that is no name"}`,
    );
  }

  /** Attributes, which change nothing of what is read: an OrderedDict's `_metadata`, a parameter's own. */
  private build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict || target instanceof Inert || target instanceof PickledTensor)) {
      throw new PickleError("attributes of something that has none");
    }
  }

  private make(value: PickleValue): void {
    if (++this.containers > maxContainers) throw new PickleError(`more than ${maxContainers} containers`);
    this.push(value);
  }

  private push(value: PickleValue): void {
    this.deepen();
    this.stack.push(value);
  }

  private deepen(): void {
    if (++this.depth > maxDepthOfStack) throw new PickleError(`more than ${maxDepthOfStack} values at once`);
  }

  private pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw new PickleError("too few values");
    this.depth--;
    return value;
  }

  private popSeveral(count: number): PickleValue[] {
    if (this.stack.length < count) throw new PickleError("too few values");
    this.depth -= count;
    return this.stack.splice(-count);
  }

  private popMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw new PickleError("a missing mark");
    this.stack = below;
    this.depth -= items.length + 1;
    return items;
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw new PickleError("too few values");
    return value;
  }

  private recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleError(`nothing was stored as ${index}`);
    return value;
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
    if (this.memo.size > maxMemo) throw new PickleError(`more than ${maxMemo} stored values`);
  }

  private byte(): number {
    return this.source.take(1)[0]!;
  }

  private view(length: number): DataView {
    const bytes = this.source.take(length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  private length4(): number {
    return this.view(4).getUint32(0, true);
  }

  private length8(): number {
    const length = this.view(8).getBigUint64(0, true);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new PickleError("a pickle that ends too early");
    return Number(length);
  }

  private text(length: number): string {
    const bytes = this.source.take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new PickleError("a text that is no UTF-8", { cause });
    }
  }

  private line(): string {
    const bytes: number[] = [];
    for (let byte = this.byte(); byte !== op("\n"); byte = this.byte()) {
      bytes.push(byte);
      if (bytes.length > 1000) throw new PickleError("an endless name");
    }
    return Buffer.from(bytes).toString("utf8");
  }
}

/** Objects of code that is not run, and the names of such: they take everything. */
function isPlaceholder(value: PickleValue | undefined): boolean {
  return value instanceof Inert
    ? value.kind !== "known"
    : value instanceof Global && value.behaviour === null;
}

function addAll(list: PickleValue, items: readonly PickleValue[]): void {
  if (isPlaceholder(list)) return;
  if (!(list instanceof PickleList)) throw new PickleError("an element for something that is no list");
  for (const item of items) list.items.push(item);
}

function addItem(set: PickleSet, item: PickleValue): void {
  checkHashable(item);
  set.items.push(item);
}

function setItems(target: PickleValue, items: readonly PickleValue[]): void {
  if (isPlaceholder(target)) return;
  if (!(target instanceof PickleDict)) throw new PickleError("an item for something that is no dict");
  if (items.length % 2 !== 0) throw new PickleError("a key without a value");
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    checkHashable(key);
    target.items.set(key, items[i + 1]!);
  }
}

/** Two's complement, little-endian; a bigint where a number would not be exact. */
function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte);
  if (bytes.length > 0 && bytes.at(-1)! >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
