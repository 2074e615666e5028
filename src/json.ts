// Numbers in JSON, exactly: what JSON has no literal for is written as a string.

import { numberIn, positiveInteger, wrongKind, wrongValue } from "./argument.js";

/** A number in JSON, exactly: what JSON has no literal for is a string. */
export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** What a program reads of JSON: an import of a file has `string` for names, and arrays of any length. */
export type Parsed<State> = State extends string
  ? string
  : State extends readonly (infer Item)[]
    ? readonly Parsed<Item>[]
    : State extends object
      ? { readonly [Name in keyof State]: Parsed<State[Name]> }
      : State;

const NAMES: readonly JsonNumber[] = ["NaN", "Infinity", "-Infinity", "-0"];

function toJson(value: number): JsonNumber {
  return NAMES.find((name) => Object.is(Number(name), value)) ?? value;
}

export function listToJson(values: ArrayLike<number>): JsonNumber[] {
  return Array.from(values, toJson);
}

export function fromJson(name: string, value: unknown): number {
  return NAMES.some((known) => known === value)
    ? Number(value)
    : numberIn(name, value, "a number", () => true);
}

export function listFromJson(name: string, value: unknown, length: number): number[] {
  const expected = `an array of ${length} numbers`;
  if (!Array.isArray(value)) throw wrongKind(name, expected, value);
  if (value.length !== length) throw wrongValue(name, expected, `length ${value.length}`);
  // Not map, which leaves holes out.
  return Array.from<unknown, number>(value, (item, j) => fromJson(`${name}[${j}]`, item));
}

/** A saved object's fields, each read once; to be checked one by one, so that none may be missing. */
export function fieldsOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === "string") {
    throw new TypeError(`${name}: expected what toJSON returned, got a string (JSON.parse it first)`);
  }
  if (value === null || typeof value !== "object") throw wrongKind(name, "what toJSON returned", value);
  const fields: Record<string, unknown> = { ...value };
  // Messages to workers carry no objects of classes, whose fields are private.
  if (Object.keys(fields).length === 0) {
    throw new TypeError(
      `${name}: expected what toJSON returned, got an object without fields (post object.toJSON(), not the object)`,
    );
  }
  return fields;
}

export function sameForAll(count: Float64Array): boolean {
  for (let j = 1; j < count.length; j++) if (count[j] !== count[0]) return false;
  return true;
}

/** Counts per feature, as one number if they are the same for all. */
export function countToJson(count: Float64Array): number | number[] {
  return sameForAll(count) ? (count[0] ?? 0) : Array.from(count);
}

export function countFromJson(value: unknown, features: number): Float64Array<ArrayBuffer> {
  // Also beyond 2⁵³, where not every integer is a number: counts that were merged.
  const whole = (name: string, n: unknown) =>
    numberIn(name, n, "a non-negative integer", (n) => Number.isInteger(n) && n >= 0);
  if (!Array.isArray(value)) return new Float64Array(features).fill(whole("count", value));
  return Float64Array.from(listFromJson("count", value, features), (n, j) => whole(`count[${j}]`, n));
}

/** null where nothing has said how many there are. */
export function featuresFromJson(value: unknown): number | undefined {
  return value === null ? undefined : positiveInteger("features", value);
}
