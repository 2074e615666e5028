// Arguments are checked once, at the public edge, before anything is written. An error reads
// `name: expected …, got …`: TypeError for the wrong kind, RangeError for the wrong value.

/** Characters of what a message shows: enough for what is meant to be read. */
const LONG = 200;

function short(text: string): string {
  return text.length <= LONG ? text : `${text.slice(0, LONG)}…`;
}

/** A value as an error message shows it: in bounds, whatever it holds. */
export function show(value: unknown): string {
  return short(describe(value, 0));
}

/** Arrays in arrays in arrays are only counted: eight in each of eight are 8ⁿ at n levels, and a cycle never ends. */
function describe(value: unknown, level: number): string {
  if (typeof value === "string") return JSON.stringify(short(value));
  if (typeof value === "bigint") return value === BigInt.asIntN(64, value) ? `${value}n` : "a large bigint";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) {
    if (level === 2 || value.length > 8) return `an array of ${value.length}`;
    return `[${Array.from(value, (item, i) => (i in value ? describe(item, level + 1) : "")).join(", ")}]`;
  }
  const name = ArrayBuffer.isView(value)
    ? kind(value)
    : (ownName(value) ?? short(tagOf(value)).replace("Object", "object"));
  return `${/^[AEIOo]/.test(name) ? "an" : "a"} ${name}`;
}

/** "Object", "Map", "Promise", …: by brand, because values also come from other realms. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** What the classes of this package are known by, also to another copy of it; see shown.ts. */
export const NAME: unique symbol = Symbol.for("simdnorm.name");

/**
 * What options are: plain objects. Every option may be left out, and a tensor or a layer has names that options have:
 * for the compiler they would be options, too.
 */
export interface Plain {
  /** @hidden */
  readonly [NAME]?: never;
}

/** The name of an object of this package's classes. */
function ownName(value: object): string | undefined {
  const name: unknown = Reflect.get(value, NAME);
  return typeof name === "function" ? String(name.call(value)) : undefined;
}

export function wrongKind(name: string, expected: string, got: unknown): TypeError {
  // What is asked for by a name that it has is of another copy of this package.
  const own = got !== null && typeof got === "object" ? ownName(got) : undefined;
  const copy = own !== undefined && new RegExp(`\\b${own}\\b`).test(expected);
  const whose = copy ? " of another copy of simdnorm (import and require, or two versions)" : "";
  return new TypeError(`${name}: expected ${expected}, got ${show(got)}${whose}`);
}

export function wrongValue(name: string, expected: string, got: unknown): RangeError {
  return new RangeError(
    `${name}: expected ${expected}, got ${typeof got === "string" ? short(got) : show(got)}`,
  );
}

/**
 * 8-bit numbers.
 *
 * @inline
 */
export type Bytes = Uint8ClampedArray | Uint8Array;

const PLAIN = new Map(Object.entries({ Float32Array, Float64Array, Uint8Array, Uint8ClampedArray }));
const TYPED: object = Object.getPrototypeOf(Uint8Array.prototype);
const kindIn = Object.getOwnPropertyDescriptor(TYPED, Symbol.toStringTag)?.get;
const lengthIn = Object.getOwnPropertyDescriptor(TYPED, "length")?.get;

/** There is not as much memory. */
export function exhausted(bytes: number, cause: unknown): RangeError {
  return new RangeError(
    `memory: expected ${bytes} bytes to be free, got fewer (dispose tensors, pass out, or make them in a scope)`,
    { cause },
  );
}

/** "Float32Array", "DataView", …: what the engine says, of arrays from other realms, and whatever theirs answer. */
function kind(view: ArrayBufferView): string {
  return kindIn?.call(view) ?? "DataView";
}

export function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && kind(value) === "Float32Array";
}

export function isFloat64Array(value: unknown): value is Float64Array {
  return ArrayBuffer.isView(value) && kind(value) === "Float64Array";
}

/**
 * The array itself, or its memory as a plain array of this realm: a subclass may have methods and a species of its own,
 * and a length that was defined on an array may be another.
 *
 * @throws TypeError if its memory was moved
 */
export function inUse(name: string, array: Float32Array): Float32Array;
export function inUse(name: string, array: Float64Array): Float64Array;
export function inUse(name: string, array: Float32Array | Float64Array): Float32Array | Float64Array;
export function inUse(name: string, array: Bytes): Bytes;
export function inUse(name: string, array: ArrayBufferView): ArrayBufferView;
export function inUse(name: string, array: ArrayBufferView): ArrayBufferView {
  const prototype: unknown = Object.getPrototypeOf(array);
  const known = prototype === Float32Array.prototype || prototype === Float64Array.prototype;
  const length = lengthIn?.call(array);
  if (known && "length" in array && array.length === length && length > 0) return array;
  const plain = PLAIN.get(kind(array)) ?? Uint8Array;
  try {
    // Neither of a lost buffer nor of a part that it no longer has.
    Uint8Array.prototype.keys.call(array);
  } catch {
    const hint = plain === Float32Array ? " (read tensor.data again)" : "";
    throw new TypeError(`${name}: expected an array in use, got one whose memory was moved${hint}`);
  }
  const [buffer, offset] = ["buffer", "byteOffset"].map((field) =>
    Object.getOwnPropertyDescriptor(TYPED, field)?.get?.call(array),
  );
  return new plain(buffer, offset, length);
}

export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) && /^Uint8(Clamped)?Array$/.test(kind(value));
}

/**
 * The options of a call: an object of known names only, because a misspelt one would be a wrong result.
 *
 * @throws TypeError if it is another object, or has another name
 */
export function checkOptions(value: unknown, known: readonly string[]): void {
  if (value === undefined) return;
  checkObject("options", value);
  if (isList(value)) throw notOptions(value, known);
  let empty = true;
  for (const name in value) {
    if (!known.includes(name)) throw unknownOption(name, known);
    empty = false;
  }
  // Nor a Map, or an object of this package's classes: they have no names of their own to be found.
  if (empty && tagOf(value) !== "Object") throw notOptions(value, known);
}

function notOptions(value: object, known: readonly string[]): TypeError {
  const hint = known.includes("out") ? " (write { out: … } for where the result goes)" : "";
  return new TypeError(`options: expected an object of options, got ${show(value)}${hint}`);
}

function unknownOption(given: string, known: readonly string[]): TypeError {
  const name = short(given);
  const near = known.find((other) => resembles(name.toLowerCase(), other.toLowerCase()));
  const hint = near === undefined ? `expected ${known.join(", ")}` : `did you mean ${near}?`;
  return new TypeError(`options.${name}: unknown, ${hint}`);
}

/** Whether a name is a part of the other one, or begins alike and has the same letters but for at most two. */
function resembles(name: string, other: string): boolean {
  const letters = name.replace(/[^a-z]/g, "");
  if (letters.length >= 3 && (other.startsWith(letters) || letters.endsWith(other))) return true;
  let left = other;
  for (const letter of letters) left = left.replace(letter, "");
  const more = letters.length - (other.length - left.length);
  const apart = Math.max(more, left.length);
  return letters[0] === other[0] && apart <= Math.min(2, Math.floor(letters.length / 3));
}

/** @throws TypeError if it is not an object */
export function checkObject(name: string, value: unknown): asserts value is object {
  if (value === null || typeof value !== "object") throw wrongKind(name, "an object", value);
}

export function numberIn(
  name: string,
  value: unknown,
  expected: string,
  valid: (n: number) => boolean,
): number {
  if (typeof value !== "number") throw wrongKind(name, expected, value);
  if (!valid(value)) throw wrongValue(name, expected, value);
  return value;
}

export function positiveInteger(name: string, value: unknown): number {
  const n = numberIn(name, value, "a positive integer", (n) => Number.isSafeInteger(n) && n > 0);
  // Beyond it the statistics alone take gigabytes, and allocation fails with a message of its own.
  return numberIn(name, n, "at most 2²⁸", (n) => n <= 2 ** 28);
}

export function nonNegativeInteger(name: string, value: unknown): number {
  return numberIn(name, value, "a non-negative integer", (n) => Number.isSafeInteger(n) && n >= 0);
}

export function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw wrongKind(name, "a boolean", value);
  return value;
}

/** One of a few names. */
export function oneOf<const Name extends string>(name: string, value: unknown, names: readonly Name[]): Name {
  for (const known of names) if (value === known) return known;
  const expected = names.map((known) => `"${known}"`).join(" or ");
  throw (typeof value === "string" ? wrongValue : wrongKind)(name, expected, value);
}

/** That another object is one of the same kind. */
export function checkSame<Name extends string>(
  mine: Readonly<Record<Name, unknown>>,
  other: Readonly<Record<Name, unknown>>,
  names: readonly Name[],
): void {
  for (const name of names) {
    const [expected, got] = [show(mine[name]), show(other[name])];
    if (got !== expected) throw wrongValue("other", `${name} = ${expected}`, got);
  }
}

/** An array or a typed array. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && kind(value) !== "DataView");
}

/** Numbers per feature, given as an array or a typed array; a copy. */
export function perFeature(name: string, value: unknown, features: number): number[] {
  const expected = `an array of features = ${features} numbers`;
  if (!isList(value)) throw wrongKind(name, expected, value);
  const length = lengthOf(name, value);
  if (length !== features) throw wrongValue(name, expected, `length ${length}`);
  return numbers(name, value, length);
}

/** How long a list is; @throws TypeError if it is a typed array whose memory was moved */
export function lengthOf(name: string, list: ArrayLike<unknown>): number {
  if (list.length === 0 && ArrayBuffer.isView(list)) inUse(name, list);
  return list.length;
}

/** A copy of a list in which every item is a number. */
export function numbers(name: string, list: ArrayLike<unknown>, length = lengthOf(name, list)): number[] {
  const copy = new Array<number>(length);
  copyNumbers(name, list, copy);
  return copy;
}

/**
 * Copies the items of a list, each of which is read once: an item may be a getter.
 *
 * @throws TypeError if an item is not a number
 */
export function copyNumbers(name: string, list: ArrayLike<unknown>, into: number[] | Float32Array): void {
  // A plain loop: 1 ms for 10⁶ items, where a call for each takes 60.
  for (let i = 0; i < into.length; i++) {
    const item = list[i];
    if (typeof item !== "number") throw wrongKind(`${name}[${i}]`, "a number", item);
    into[i] = item;
  }
}
