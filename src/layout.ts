// The only place that knows shapes. Every case becomes outer × features × inner, row-major:
// inner = 1 is columns (features last), anything else is planes (channels first).

import { numberIn, show, wrongKind, wrongValue } from "./argument.js";

export interface Layout {
  readonly outer: number;
  readonly features: number;
  readonly inner: number;
  /** outer · features · inner */
  readonly length: number;
}

/** Values per feature. */
export function samples(layout: Layout): number {
  return layout.outer * layout.inner;
}

export function checkAxis(value: unknown): number {
  return numberIn("axis", value, "an integer", Number.isSafeInteger) + 0;
}

export function checkShape(value: unknown): number[] {
  const expected = "an array of non-negative integers";
  if (!Array.isArray(value)) throw wrongKind("shape", expected, value);
  const { length } = value;
  const sizes = new Array<number>(length);
  // A plain loop: 25 ns, where a call for each takes 150. It reads holes, too.
  for (let axis = 0; axis < length; axis++) {
    const size: unknown = value[axis];
    if (typeof size !== "number") throw wrongKind("shape", expected, value);
    if (!Number.isSafeInteger(size) || size < 0) throw wrongValue("shape", expected, value);
    sizes[axis] = size;
  }
  return sizes;
}

/** The layout of `length` values of the argument x, whose feature axis is `axis` of `sizes`. */
export function layoutOf(
  length: number,
  features: number,
  axis: number,
  sizes: readonly number[] | undefined,
): Layout {
  if (sizes === undefined) {
    if (axis !== -1) {
      throw new TypeError(
        `shape: expected the sizes of x, because its feature axis ${axis} is not the last, got undefined`,
      );
    }
    if (length % features !== 0) {
      throw wrongValue("x", `a length that is a multiple of features = ${features}`, length);
    }
    return { outer: length / features, features, inner: 1, length };
  }
  const at = axis < 0 ? sizes.length + axis : axis;
  if (at < 0 || at >= sizes.length) {
    throw wrongValue("shape", `at least ${axis < 0 ? -axis : axis + 1} axes for axis = ${axis}`, sizes);
  }
  if (sizes[at] !== features) {
    throw wrongValue("shape", `${features} features on axis ${axis}`, `${sizes[at]} in ${show(sizes)}`);
  }
  // Of no values no row is walked, however many the shape says.
  const outer = length === 0 ? Math.min(product(sizes, 0, at), 1) : product(sizes, 0, at);
  const inner = product(sizes, at + 1, sizes.length);
  if (outer * features * inner !== length) {
    throw wrongValue("shape", `sizes whose product is x's length ${length}`, sizes);
  }
  return { outer, features, inner, length };
}

export function product(sizes: readonly number[], from: number, to: number): number {
  let all = 1;
  // 0 by hand, because 0 times a product that overflowed is NaN.
  for (let axis = from; axis < to; axis++) all = sizes[axis] === 0 ? 0 : all * sizes[axis];
  return all;
}
