import { oneLine } from "./printable.ts";

/** A value in a few words; a tensor as its shape. */
export function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || value == null) return String(value);
  if (typeof value === "string") return `${oneLine(JSON.stringify(value), 60)} (a string)`;
  if (value instanceof Promise) return "a promise, which is not awaited here";
  if (Array.isArray(value)) {
    return value.length > 4 ? `a list of ${value.length}` : `[${value.map(show).join(", ")}]`;
  }
  if (typeof value !== "object") return `a ${typeof value}`;
  // Not by TensorFlow.js's class: data workers do without that library.
  if ("dataId" in value && "shape" in value && Array.isArray(value.shape))
    return `[${value.shape.join(", ")}]`;
  const { name } = (value.constructor as { name?: string } | undefined) ?? {};
  if (name !== undefined && name !== "" && name !== "Object") return `an object of class ${name}`;
  const keys = Object.keys(value).slice(0, 8);
  return keys.length === 0 ? "an empty object" : `an object with ${keys.join(", ")}`;
}
