import type { RecordBase, Surroundings } from "../record.ts";
import type { Check, Contract, Promises } from "./contract.ts";
import { notePromise } from "./inspection.ts";
import { describeCall, Owner } from "./owner.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;
/** What a call gives, once it was looked at. */
type Accept = (result: unknown, args: readonly unknown[]) => unknown;

/**
 * A plug-in's record whose code says whose it is when it throws, wherever it is called from, and whose results are
 * what the kind's contract promises: a neck with other channels than it declared would otherwise fail far away, or
 * train all the same.
 *
 * @param source the plug-in's file
 * @param contract of the record's kind
 * @returns a new record; its components throw SegfuseError `SEGFUSE_PLUGIN_FAILED`, `SEGFUSE_PLUGIN_CONTRACT`
 */
export function guardRecord<R extends RecordBase>(record: R, source: string, contract: Contract): R {
  const owner = new Owner(record.kind, record.type, source);
  const makers: Record<string, Promises & { readonly check: Check }> = {
    create: { check: contract.made, ...contract },
    ...contract.also,
  };
  const guarded = { ...record } as Record<string, unknown>;
  for (const [name, method] of Object.entries(record)) {
    if (typeof method !== "function") continue;
    const maker = makers[name];
    const accept: Accept = (result, args) => {
      if (maker === undefined) return result;
      keep(owner, name, maker.check, result, { self: record, args, made: args });
      return guardInstance(owner, result, maker, args);
    };
    guarded[name] = attributed(owner, name, method as Method, record, accept);
  }
  guarded.rules = record.rules?.map((rule) => {
    // A generator fails when it is read.
    const check = (options: never, around: Surroundings) => [...rule.check(options, around)];
    return { ...rule, check: attributed(owner, "check", check as Method, rule, (findings) => findings) };
  });
  return guarded as unknown as R;
}

/**
 * One of segfuse's own records: the shapes that its components give are looked at as plug-ins' are, and nothing is put
 * in the way of their methods.
 */
export function watchRecord<R extends RecordBase>(record: R, contract: Contract): R {
  const owner = new Owner(record.kind, record.type, null);
  const watched = { ...record } as Record<string, unknown>;
  const makers: Record<string, Promises> = { create: contract, ...contract.also };
  for (const [name, { forward }] of Object.entries(makers)) {
    const make = watched[name];
    if (forward === undefined || typeof make !== "function") continue;
    watched[name] = (...args: unknown[]) => {
      const part: unknown = (make as Method).apply(record, args);
      if (typeof part === "object" && part !== null) notePromise(part, { owner, check: forward, made: args });
      return part;
    };
  }
  return watched as unknown as R;
}

/** Puts methods that say whose they are in the way of a component's own. */
function guardInstance(
  owner: Owner,
  instance: unknown,
  { forward, methods }: Promises,
  made: readonly unknown[],
): unknown {
  if (typeof instance !== "object" || instance === null) return instance;
  // What is frozen gets them in front of it.
  const target = Object.isExtensible(instance) ? instance : (Object.create(instance) as object);
  const cover = (name: string, accept: Accept) => {
    const method = (instance as Record<string, unknown>)[name];
    if (typeof method !== "function") return;
    const value = attributed(owner, name, method as Method, instance, accept);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  };
  for (const [name, check] of Object.entries(methods)) {
    if (name === "forward" && forward !== undefined) continue;
    cover(name, (result, args) => keep(owner, name, check, result, { self: instance, args, made }));
  }
  if (forward !== undefined) {
    const every = methods["forward"];
    let isNew = true; // The first call, whoever calls; a network's inspection looks at others.
    cover("forward", (result, args) => {
      const check = isNew ? forward : every;
      if (check !== undefined) keep(owner, "forward", check, result, { self: instance, args, made });
      isNew = false;
      return result;
    });
    notePromise(target, { owner, check: forward, made });
  }
  return target;
}

/** A method that tells errors out of it as its owner's. Nothing else is done at a call but `accept`. */
function attributed(owner: Owner, name: string, method: Method, self: object, accept: Accept): Method {
  const failed = (error: unknown, args: readonly unknown[]): never => {
    throw owner.failure(describeCall(name, args), error);
  };
  return (...args) => {
    let result: unknown;
    try {
      result = method.apply(self, args);
    } catch (error) {
      return failed(error, args);
    }
    if (!(result instanceof Promise)) return accept(result, args);
    return result.then(
      (value) => accept(value, args),
      (error: unknown) => failed(error, args),
    );
  };
}

/** @returns the result @throws SegfuseError `SEGFUSE_PLUGIN_CONTRACT` where it is not what was promised */
function keep(
  owner: Owner,
  name: string,
  check: Check,
  result: unknown,
  call: Parameters<Check>[1],
): unknown {
  const fault = check(result, call);
  if (fault !== null) throw owner.broken(describeCall(name, call.args), fault);
  return result;
}
