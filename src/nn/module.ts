import { Parameter } from "./parameter.ts";

/**
 * A part of a network. Its parameters are named by property path, as in PyTorch: own properties that are
 * a Module, a Parameter or a (nested) array of these; `layer1: Block[]` gives `layer1.0.conv1.weight`.
 * Modules keep no tensors between calls but their parameters' variables.
 */
export abstract class Module {
  /** All parameters of this module and below, in the order of definition, running statistics included. */
  *namedParameters(prefix = ""): Generator<[name: string, parameter: Parameter]> {
    for (const [name, value] of Object.entries(this)) yield* named(value, join(prefix, name));
  }

  /** This module and all below it, with their names. */
  *namedModules(prefix = ""): Generator<[name: string, module: Module]> {
    yield [prefix, this];
    for (const [name, value] of Object.entries(this)) yield* modules(value, join(prefix, name));
  }

  dispose(): void {
    for (const [, parameter] of this.namedParameters()) parameter.dispose();
  }
}

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

function* named(value: unknown, name: string): Generator<[string, Parameter]> {
  if (value instanceof Parameter) yield [name, value];
  else if (value instanceof Module) yield* value.namedParameters(name);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* named(item, `${name}.${i}`);
}

function* modules(value: unknown, name: string): Generator<[string, Module]> {
  if (value instanceof Module) yield* value.namedModules(name);
  else if (Array.isArray(value))
    for (const [i, item] of value.entries()) yield* modules(item, `${name}.${i}`);
}
