// What statistics and scalers take: arrays and tensors, and nested arrays, which are rows or columns. They become
// values and a layout, and results go back in the form that came.

import { inUse, isFloat32Array, isFloat64Array, show, wrongKind, wrongValue } from "./argument.js";
import { type Values, viewOf } from "./backend.js";
import type { Like, Out } from "./call.js";
import { type Layout, layoutOf } from "./layout.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

/** Numbers of one sample (a row) or of one feature (a column). */
export type Numbers = readonly number[] | Float32Array | Float64Array;

/**
 * Nested arrays: with `axis: -1` rows, one array per sample; with `axis: 0` columns, one array per feature. They are
 * computed in float64, whatever they hold.
 */
export type Nested = readonly Numbers[];

/** Nested arrays that can be written. */
export type Writable = (number[] | Float32Array | Float64Array)[];

/** What statistics and scalers take. What goes in decides what comes out. */
export type Samples = Data | Float64Array | Nested;

/** What results are: in the form of x. */
export type LikeSamples<X> = X extends Data
  ? Like<X>
  : X extends Float64Array
    ? Float64Array<ArrayBuffer>
    : X extends readonly (infer List)[]
      ? ListLike<List>[]
      : never;

type ListLike<List> = List extends Float32Array
  ? Float32Array<ArrayBuffer>
  : List extends Float64Array
    ? Float64Array<ArrayBuffer>
    : number[];

/** What results may be written into: of the form of x. */
export type OutSamples<X> = X extends Data
  ? Out<X>
  : X extends Float64Array
    ? Float64Array
    : X extends readonly (infer List)[]
      ? (List extends Float32Array | Float64Array ? List : number[])[]
      : never;

/** Samples as a backend takes them: nested arrays as a copy in float64. */
export interface Read<V extends Values = Values> {
  readonly values: V;
  readonly layout: Layout;
}

/** @throws TypeError, RangeError, ReferenceError if they do not fit each other */
export function read(
  x: Nested | Float64Array,
  shape: readonly number[] | undefined,
  features: number | undefined,
  axis: number,
): Read<Float64Array>;
export function read(
  x: Samples,
  shape: readonly number[] | undefined,
  features: number | undefined,
  axis: number,
): Read;
export function read(
  x: Samples,
  shape: readonly number[] | undefined,
  features: number | undefined,
  axis: number,
): Read {
  if (isNested(x)) {
    if (shape !== undefined) throw wrongKind("shape", "none for nested arrays, which have their own", shape);
    return axisOf(axis) === 0 ? columns(x, features) : rows(x, features);
  }
  // Before the values, because the items of a list may be getters.
  const sizes = sizesOf(x, shape);
  const values = isFloat64Array(x) ? inUse("x", x) : valuesOf("x", x);
  const { length } = viewOf(values);
  if (features !== undefined) return { values, layout: layoutOf(length, features, axis, sizes) };
  if (sizes === undefined) {
    throw new TypeError(
      "features: expected the number of features, because x does not say it, got undefined (write it into the constructor, or give a shape)",
    );
  }
  const size = sizes[axis < 0 ? sizes.length + axis : axis];
  // A missing axis and a size of 0 are the layout's to refuse.
  return { values, layout: layoutOf(length, size || 1, axis, sizes) };
}

export function isNested(x: Samples): x is Nested {
  return Array.isArray(x);
}

/** The axis of nested arrays, of which there are two. */
function axisOf(axis: number): 0 | 1 {
  if (axis === -1 || axis === 1) return 1;
  if (axis === 0 || axis === -2) return 0;
  throw wrongValue("x", `a Float32Array, a Float64Array or a Tensor for axis = ${axis}`, "nested arrays");
}

/** Rows one after the other. */
function rows(x: Nested, given: number | undefined): Read<Float64Array> {
  const features = given ?? lengthOf(x, 0, "row");
  const values = flatten(x, features, "features");
  return { values, layout: { outer: x.length, features, inner: 1, length: values.length } };
}

/** Columns one after the other: planes of a single image. */
function columns(x: Nested, given: number | undefined): Read<Float64Array> {
  const features = given ?? x.length;
  if (x.length !== features || features === 0) {
    throw wrongValue("x", `${given === undefined ? "columns" : `features = ${given} columns`}`, x.length);
  }
  const inner = lengthOf(x, 0, "column");
  const values = flatten(x, inner, "the first column's");
  return { values, layout: { outer: 1, features, inner, length: values.length } };
}

function lengthOf(x: Nested, i: number, what: "row" | "column"): number {
  const list: unknown = x[i];
  if (list === undefined) throw wrongValue("x", `at least one ${what}, which says its length`, "none");
  if (!isList(list)) throw notAList(x, i);
  return list.length;
}

/** Lists of `length` numbers one after the other, checked and copied in one flat loop. */
function flatten(x: Nested, length: number, whose: string): Float64Array {
  const values = new Float64Array(x.length * length);
  for (let i = 0, at = 0; i < x.length; i++, at += length) {
    const list: Numbers = x[i];
    // Typed arrays need no check of their items. A call per row, not per list that is odd, would cost three times the loop.
    if (!Array.isArray(list) || list.length !== length) {
      values.set(typedOf(x, i, length, whose), at);
      continue;
    }
    for (let j = 0; j < length; j++) {
      const value: unknown = list[j];
      if (typeof value !== "number") throw notANumber(value, i, j);
      values[at + j] = value;
    }
  }
  return values;
}

/** x[i], a typed array of this length. */
function typedOf(x: Nested, i: number, length: number, whose: string): Numbers {
  const list: Numbers = x[i];
  if (!isList(list)) throw notAList(x, i);
  if (list.length !== length) {
    throw wrongValue(`x[${i}]`, `an array of ${whose} = ${length} numbers`, `length ${list.length}`);
  }
  return list;
}

function notANumber(value: unknown, i: number, j: number): TypeError {
  const gap = value === null || value === undefined ? " (a gap is NaN)" : "";
  return new TypeError(`x[${i}][${j}]: expected a number, got ${show(value)}${gap}`);
}

function isList(list: unknown): list is readonly unknown[] | Float32Array | Float64Array {
  return Array.isArray(list) || isFloat32Array(list) || isFloat64Array(list);
}

function notAList(x: Nested, i: number): TypeError {
  const expected = "an array of numbers, a Float32Array or a Float64Array";
  if (typeof x[i] !== "number") return wrongKind(`x[${i}]`, expected, x[i]);
  return new TypeError(
    `x: expected rows or columns, each an array, got an array of numbers (for one sample write [[…]])`,
  );
}

/** @throws TypeError, RangeError if a nested output has not the form of x */
export function checkNested(out: unknown, x: Nested): asserts out is Writable {
  if (!Array.isArray(out)) throw wrongKind("out", "nested arrays like x", out);
  if (out.length !== x.length) throw wrongValue("out", `x's ${x.length} arrays`, out.length);
  for (let i = 0; i < x.length; i++) {
    const list: unknown = out[i];
    if (!isList(list)) throw wrongKind(`out[${i}]`, "an array", list);
    if (list.length !== x[i].length) throw wrongValue(`out[${i}]`, `length ${x[i].length}`, list.length);
  }
}

/** Values in the form of x, or written into `out`, which has it. */
export function nest(values: Float64Array, x: Nested, out: Writable | undefined): Writable {
  const into = out ?? x.map(emptyLike);
  let at = 0;
  for (const list of into) {
    if (Array.isArray(list)) for (let j = 0; j < list.length; j++) list[j] = values[at + j];
    else list.set(values.subarray(at, at + list.length));
    at += list.length;
  }
  return into;
}

function emptyLike(list: Numbers): number[] | Float32Array | Float64Array {
  if (isFloat32Array(list)) return new Float32Array(list.length);
  return isFloat64Array(list) ? new Float64Array(list.length) : new Array<number>(list.length);
}
