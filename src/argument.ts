// Arguments are checked once, at the public edge, before anything is written. An error reads
// `name: expected …, got …`: TypeError for the wrong kind, RangeError for the wrong value.

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value))
    return value.length <= 8 ? `[${value.map(show).join(", ")}]` : `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${kind(value)}`;
  return "an object";
}

export function wrongKind(name: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${name}: expected ${expected}, got ${show(got)}`);
}

export function wrongValue(name: string, expected: string, got: unknown): RangeError {
  return new RangeError(`${name}: expected ${expected}, got ${typeof got === "string" ? got : show(got)}`);
}

/** "Float32Array", "DataView", …: by brand, because arrays also come from other realms. */
function kind(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice(8, -1);
}

export function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && kind(value) === "Float32Array";
}

export function optionsObject(value: unknown): void {
  if (value !== undefined && (value === null || typeof value !== "object")) {
    throw wrongKind("options", "an object", value);
  }
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
  return numberIn(name, value, "a positive integer", (n) => Number.isSafeInteger(n) && n > 0);
}

export function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw wrongKind(name, "a boolean", value);
  return value;
}

/** Numbers per feature, given as an array or a typed array. */
export function perFeature(name: string, value: unknown, features: number): ArrayLike<number> {
  const expected = `an array of features = ${features} numbers`;
  const list: unknown = value;
  if (!Array.isArray(list) && !(ArrayBuffer.isView(list) && !(list instanceof DataView))) {
    throw wrongKind(name, expected, value);
  }
  const numbers = list as ArrayLike<unknown>;
  if (numbers.length !== features) throw wrongValue(name, expected, `length ${numbers.length}`);
  for (let j = 0; j < features; j++) {
    if (typeof numbers[j] !== "number") throw wrongKind(`${name}[${j}]`, "a number", numbers[j]);
  }
  return numbers as ArrayLike<number>;
}
