// What statistics and scalers take: arrays and tensors, and nested arrays, which are rows or columns. They become
// values and a layout, and results have the form that came.

import { inUse, isFloat64Array, wrongKind, wrongValue } from "./argument.js";
import { type Values, viewOf } from "./backend.js";
import type { Like, Out } from "./call.js";
import { type Layout, layoutOf } from "./layout.js";
import { Lists, type Nested } from "./lists.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

/** What statistics and scalers take. What goes in decides what comes out. */
export type Samples = Data | Float64Array | Nested;

/** What results are: in the form of x. */
export type LikeSamples<X> = X extends Data
  ? Like<X>
  : X extends Float64Array
    ? Float64Array<ArrayBuffer>
    : X extends readonly (infer List)[]
      ? (List extends Float32Array
          ? Float32Array<ArrayBuffer>
          : List extends Float64Array
            ? Float64Array<ArrayBuffer>
            : number[])[]
      : never;

/** What results may be written into: of the form of x. */
export type OutSamples<X> = X extends Data
  ? Out<X>
  : X extends Float64Array
    ? Float64Array
    : X extends readonly (infer List)[]
      ? (List extends Float32Array | Float64Array ? List : number[])[]
      : never;

/** Samples as a backend takes them. */
export interface Read<V extends Values = Values> {
  readonly values: V;
  readonly layout: Layout;
}

/**
 * Numbers in lists are left to be checked by the step that reads them.
 *
 * @throws TypeError, RangeError, ReferenceError if they do not fit each other
 */
export function read(
  x: Nested,
  shape: readonly number[] | undefined,
  features: number | undefined,
  axis: number,
): Read<Lists>;
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
    return lists(x, features, axis);
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

/** Rows; or columns, which are planes of a single image. */
function lists(x: Nested, given: number | undefined, axis: number): Read<Lists> {
  const values = new Lists(x, kindOf(axis), given);
  const { kind, count, size } = values;
  const features = kind === "rows" ? size : (given ?? count);
  if (kind === "columns" && count !== features) {
    throw wrongValue("x", `features = ${features} columns`, count);
  }
  // As where constructors are told: an array may have a length without having values.
  if (features > 2 ** 28) throw wrongValue("x", "at most 2²⁸ features", features);
  const length = count * size;
  const layout =
    kind === "rows"
      ? { outer: count, features, inner: 1, length }
      : { outer: 1, features, inner: size, length };
  // No step will check them.
  if (length === 0) viewOf(values);
  return { values, layout };
}

/** Of the two axes of nested arrays the one of the features. */
function kindOf(axis: number): "rows" | "columns" {
  if (axis === -1 || axis === 1) return "rows";
  if (axis === 0 || axis === -2) return "columns";
  throw wrongValue("x", `a Float32Array, a Float64Array or a Tensor for axis = ${axis}`, "nested arrays");
}
