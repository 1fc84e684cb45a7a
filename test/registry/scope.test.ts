import { expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { SegfuseError } from "../../src/errors.ts";
import { emptyScope, partsOf } from "../../src/registry/scope.ts";
import { innerToken, token } from "../../src/registry/tokens.ts";

const tokens = {
  seed: token<number>("seed"),
  stop: token<AbortSignal | undefined>("stop"),
  optimizer: token<{ name: string }>("optimizer"),
  writer: innerToken<string[]>("writer"),
} as const;

function report(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SegfuseError) return error.report();
    throw error;
  }
  return "no error";
}

it("gives each run parts of its own, and sees the records", async () => {
  const registry = createRegistry();
  const [a, b] = [1, 2].map((seed) => {
    const scope = registry.createScope();
    scope.give(tokens.seed, seed);
    return scope;
  });
  expect([a!.get(tokens.seed), b!.get(tokens.seed)]).toEqual([1, 2]);
  await a!.close();
  expect(b!.get(tokens.seed)).toBe(2);
  expect(registry.has("neck", "gff")).toBe(true);
});

it("makes a lazy part when it is first asked for, and once", () => {
  const scope = createRegistry().createScope();
  let made = 0;
  scope.lazy(tokens.optimizer, () => ({ name: `optimizer ${++made}` }));
  const parts = partsOf(scope, tokens);
  expect([scope.has(tokens.optimizer), made]).toEqual([true, 0]);
  expect(parts.optimizer).toBe(scope.get(tokens.optimizer));
  expect(made).toBe(1);
});

it("keeps the part that was registered first, and makes no other", async () => {
  const scope = createRegistry().createScope();
  scope.give(tokens.seed, 7);
  scope.give(tokens.seed, 8);
  scope.give(tokens.stop, undefined);
  scope.give(tokens.stop, AbortSignal.abort());
  scope.lazy(tokens.optimizer, () => ({ name: "mine" }));
  const unwanted = () => Promise.reject(new Error("made all the same"));
  expect(await scope.open(tokens.optimizer, unwanted)).toEqual({ name: "mine" });
  expect([scope.get(tokens.seed), scope.get(tokens.stop)]).toEqual([7, undefined]);
});

it("ends what it made, in the order in which it was told to, and nothing that it was given", async () => {
  const scope = createRegistry().createScope();
  const ended: string[] = [];
  scope.onClose(tokens.writer, (lines) => {
    ended.push(...lines);
    throw new Error("a full disk");
  });
  scope.onClose(tokens.seed, (seed) => void ended.push(`seed ${seed}`));
  scope.onClose(tokens.stop, () => void ended.push("stop"));
  // A part that ends may still ask for others.
  scope.onClose(tokens.optimizer, ({ name }) => void ended.push(`${name} ${scope.get(tokens.seed)}`));
  scope.lazy(tokens.optimizer, () => ({ name: "optimizer" }));
  scope.lazy(tokens.stop, () => AbortSignal.abort());
  scope.give(tokens.seed, 7);
  await scope.open(tokens.writer, () => Promise.resolve(["writer"]));
  scope.get(tokens.optimizer);
  await expect(scope.close()).rejects.toThrow("a full disk");
  expect(ended).toEqual(["writer", "optimizer 7"]);
});

it("says which parts there are where one is asked for that is not", async () => {
  const scope = createRegistry().createScope();
  scope.give(tokens.writer, []);
  scope.give(tokens.stop, undefined);
  scope.give(tokens.seed, 7);
  expect(report(() => scope.get(tokens.optimizer))).toMatchInlineSnapshot(`
    "SEGFUSE_RUN_PART: the run has no part 'optimizer', or not yet
      expected: one of seed, stop
      found: optimizer
      try: ask later, or only where scope.has(runTokens.optimizer)"
  `);
  scope.lazy(tokens.optimizer, () => scope.get(tokens.optimizer));
  expect(report(() => scope.get(tokens.optimizer))).toMatchInlineSnapshot(`
    "SEGFUSE_RUN_PART: the part 'optimizer' is asked for while it is being made
      found: optimizer
      try: ask later: a hook in beforeRun"
  `);
  await scope.close();
  expect(scope.has(tokens.seed)).toBe(false);
  expect(report(() => scope.get(tokens.seed))).toMatchInlineSnapshot(`
    "SEGFUSE_RUN_PART: the run has no part 'seed', or not yet
      expected: nothing: there is no run, or it has ended
      found: seed
      try: ask later, or only where scope.has(runTokens.seed)"
  `);
  expect(report(() => emptyScope.get(tokens.seed))).toBe(report(() => scope.get(tokens.seed)));
});
