import "reflect-metadata";
import { instanceCachingFactory, type DependencyContainer } from "tsyringe";
import { SegfuseError } from "../errors.ts";
import type { PartsOf, Token, Tokens } from "./tokens.ts";

/** What one run shares, as those who only ask see it. */
export interface ReadonlyScope {
  /** Whether the run has this part by now: some are made late, and some runs never have them. */
  has(token: Token<unknown>): boolean;
  /**
   * The part that a token stands for; made now, if it is one that is made when it is first asked for.
   *
   * @throws SegfuseError `SEGFUSE_RUN_PART` where the run has no such part, or not yet; and what making it throws
   */
  get<T>(token: Token<T>): T;
}

/** Sets parts before a run sets its own: the first to register a part is the one that counts. */
export type Wiring = (scope: Scope) => void;

/**
 * One run's container: a child of the registry's, in which each part stands under its token. A part that stands there
 * already stays, so that whoever registers another one beforehand replaces it. The scope ends what it has made, and
 * leaves alone what it was given.
 */
export class Scope implements ReadonlyScope {
  private readonly tokens: Token<unknown>[] = [];
  private readonly made = new Map<symbol, unknown>();
  private readonly making = new Set<symbol>();
  private readonly ends: { readonly symbol: symbol; readonly end: (part: unknown) => unknown }[] = [];
  private isClosed = false;

  constructor(private readonly container: DependencyContainer) {}

  has({ symbol }: Token<unknown>): boolean {
    return !this.isClosed && this.container.isRegistered(symbol);
  }

  get<T>(token: Token<T>): T {
    if (!this.has(token)) throw missing(token, this.isClosed ? [] : this.tokens);
    if (this.making.has(token.symbol)) throw circular(token);
    return this.container.resolve<T>(token.symbol);
  }

  /** Registers a part that somebody else has made and ends. */
  give<T>(token: Token<T>, part: T): void {
    this.register(token, () => part);
  }

  /** Registers a part that is made when it is first asked for, and then kept. */
  lazy<T>(token: Token<T>, make: () => T): void {
    const { symbol } = token;
    const factory = () => {
      this.making.add(symbol);
      try {
        const part = make();
        this.made.set(symbol, part);
        return part;
      } finally {
        this.making.delete(symbol);
      }
    };
    this.register(token, instanceCachingFactory(factory));
  }

  /** Makes and registers a part that takes a while, unless it is there. */
  async open<T>(token: Token<T>, make: () => Promise<T>): Promise<T> {
    if (!this.has(token)) {
      const part = await make();
      this.made.set(token.symbol, part);
      this.register(token, () => part);
    }
    return this.get(token);
  }

  /** Has `close` end a part, after those that were named to this before it. */
  onClose<T>({ symbol }: Token<T>, end: (part: T) => void | Promise<void>): void {
    this.ends.push({ symbol, end: end as (part: unknown) => unknown });
  }

  /** Ends what was made here, all of it also where one fails, and forgets it. @throws the first failure */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const { symbol, end } of this.ends) {
      if (!this.made.has(symbol)) continue;
      try {
        await end(this.made.get(symbol));
      } catch (error) {
        failures.push(error);
      }
    }
    this.isClosed = true;
    await this.container.dispose();
    if (failures.length > 0) throw failures[0];
  }

  /** As a factory: tsyringe takes null and undefined for no value. */
  private register<T>(token: Token<T>, useFactory: (container: DependencyContainer) => T): void {
    if (this.has(token)) return;
    this.container.register<T>(token.symbol, { useFactory });
    this.tokens.push(token);
  }
}

/** What asks for parts where there is no run gets none. */
export const emptyScope: ReadonlyScope = {
  has: () => false,
  get(token) {
    throw missing(token, []);
  },
};

/** A scope's parts by name. Each is got when its property is read, so that one can destructure what one needs. */
export function partsOf<T extends Tokens>(scope: ReadonlyScope, tokens: T): PartsOf<T> {
  const parts = {};
  for (const [name, token] of Object.entries(tokens))
    Object.defineProperty(parts, name, { get: () => scope.get(token), enumerable: true });
  return parts as PartsOf<T>;
}

function missing({ name }: Token<unknown>, there: readonly Token<unknown>[]): SegfuseError {
  const names = there
    .filter(({ isPublic }) => isPublic)
    .map((token) => token.name)
    .sort();
  return new SegfuseError("SEGFUSE_RUN_PART", `the run has no part '${name}', or not yet`, {
    expected: names.length === 0 ? "nothing: there is no run, or it has ended" : `one of ${names.join(", ")}`,
    found: name,
    advice: `ask later, or only where scope.has(runTokens.${name})`,
  });
}

function circular({ name }: Token<unknown>): SegfuseError {
  return new SegfuseError("SEGFUSE_RUN_PART", `the part '${name}' is asked for while it is being made`, {
    found: name,
    advice: "ask later: a hook in beforeRun",
  });
}
