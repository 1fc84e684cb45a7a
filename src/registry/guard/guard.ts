import type { RecordBase, Surroundings } from "../record.ts";
import type { Call, Check, Contract } from "./contract.ts";
import { Owner, type Fault } from "./owner.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * A plug-in's record whose code says whose it is when it throws, wherever it is called from, and whose results are
 * what the kind's contract promises: a neck with other channels than it declared would otherwise fail far away, or
 * train all the same.
 *
 * The checks look at shapes and not at values; a label map, whose values index things, is looked at whole.
 *
 * @param source the plug-in's file
 * @param contract of the record's kind
 * @returns a new record; its components throw SegfuseError `SEGFUSE_PLUGIN_FAILED`, `SEGFUSE_PLUGIN_CONTRACT`
 */
export function guardRecord<R extends RecordBase>(record: R, source: string, contract: Contract): R {
  const owner = new Owner(record.kind, record.type, source);
  const { made, methods, also = {} } = contract;
  const guarded = { ...record } as Record<string, unknown>;
  const wrap = (name: string, check: Check, parts: Record<string, Check>) => {
    const method = guarded[name];
    if (typeof method !== "function") return;
    guarded[name] = (...args: unknown[]) => {
      const finish = (result: unknown) => guardInstance(owner, result, parts, args);
      return run(owner, name, method as Method, record, args, { check, made: args, finish });
    };
  };
  wrap("create", made, methods);
  for (const [name, { check, methods: parts }] of Object.entries(also)) wrap(name, check, parts);
  guarded.rules = record.rules?.map((rule) => ({
    ...rule,
    check: (options: never, around: Surroundings) => {
      // A generator fails when it is read.
      const findings = () => [...rule.check(options, around)];
      return run(owner, "check", findings, rule, [], { check: () => null, made: [] });
    },
  }));
  return guarded as unknown as R;
}

/** Puts guarded methods in the way of the component's own. */
function guardInstance(
  owner: Owner,
  instance: unknown,
  methods: Readonly<Record<string, Check>>,
  made: readonly unknown[],
): unknown {
  if (typeof instance !== "object" || instance === null) return instance;
  // What is frozen gets them in front of it.
  const target = Object.isExtensible(instance) ? instance : (Object.create(instance) as object);
  for (const [name, check] of Object.entries(methods)) {
    const method = (instance as Record<string, unknown>)[name];
    if (typeof method !== "function") continue;
    const value = (...args: unknown[]) => run(owner, name, method as Method, instance, args, { check, made });
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return target;
}

interface Rest {
  readonly check: Check;
  readonly made: readonly unknown[];
  readonly finish?: (result: unknown) => unknown;
}

function run(owner: Owner, name: string, method: Method, self: object, args: unknown[], rest: Rest): unknown {
  const done = (result: unknown) => {
    const call: Call = { self, args, made: rest.made };
    const fault: Fault | null = rest.check(result, call);
    if (fault !== null) throw owner.broken(describe(name, args), fault);
    return rest.finish === undefined ? result : rest.finish(result);
  };
  const failed = (error: unknown): never => {
    throw owner.failure(describe(name, args), error);
  };
  let result: unknown;
  try {
    result = method.apply(self, args);
  } catch (error) {
    return failed(error);
  }
  return result instanceof Promise ? result.then(done, failed) : done(result);
}

/** A call in words: a number says which one, and so does a sample's name. */
function describe(name: string, [first]: readonly unknown[]): string {
  if (typeof first === "number") return `${name}(${first})`;
  const { id, source } = (first ?? {}) as { id?: unknown; source?: { id?: unknown } };
  const sample = id ?? source?.id;
  return typeof sample === "string" ? `${name}() of sample ${sample}` : `${name}()`;
}
