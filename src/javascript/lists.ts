// Nested arrays on the float64 backend. Rows and columns that are arrays of numbers are walked where they stand; a column
// that is a typed array is one for the loops of arrays; all else is copied first, which also finds out what is wrong.

import { isFloat32Array, isFloat64Array } from "../argument.js";
import type { After, Backend, Bounds, Coefficients, Folded, Pass, Statistics, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { isPlain, Lists, type Writable } from "../lists.js";
import { fold } from "./apply.js";
import * as column from "./list-columns.js";
import * as rows from "./list-rows.js";

const NONE: After = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** The backends of typed arrays. Both compute in float64. */
interface Arrays {
  readonly double: Backend;
  readonly single: Backend;
}

/** The backend of float64 arrays, and of lists as well. */
export function withLists(arrays: Arrays): Backend {
  const { double } = arrays;
  return {
    ...double,
    open: (x, y, beside) => (x instanceof Lists ? new ListsPass(x, arrays) : double.open(x, y, beside)),
  };
}

class ListsPass implements Pass {
  readonly #x: Lists;
  readonly #arrays: Arrays;

  constructor(x: Lists, arrays: Arrays) {
    this.#x = x;
    this.#arrays = arrays;
  }

  moments(layout: Layout, into: Statistics): void {
    const x = this.#x;
    const walked =
      x.kind === "rows"
        ? rows.moments(x.lists, layout.features, into)
        : momentsOfColumns(x, this.#arrays, into);
    if (!walked) run(this.#arrays.double, x.values, null, (copy) => copy.moments(layout, into));
  }

  extrema(layout: Layout, into: Bounds): boolean {
    const x = this.#x;
    const odd =
      x.kind === "rows"
        ? rows.extrema(x.lists, layout.features, into)
        : extremaOfColumns(x, this.#arrays, into);
    return odd ?? run(this.#arrays.double, x.values, null, (copy) => copy.extrema(layout, into));
  }

  apply(layout: Layout, map: Folded, after: After): void {
    const x = this.#x;
    const coefficients = "pointer" in map ? map.map : fold(map.statistics, map.norm);
    const mapped =
      x.kind === "rows"
        ? rows.apply(x.lists, layout.features, coefficients)
        : applyToColumns(x, this.#arrays, coefficients);
    if (mapped === null) {
      const { values } = x;
      run(this.#arrays.double, values, values, (copy) => copy.apply(layout, map, after));
      x.mapped = x.nest(values, undefined);
      return;
    }
    const { low, high } = after;
    if (low > NONE.low || high < NONE.high) for (const list of mapped) clamp(list, after);
    x.mapped = mapped;
  }

  gradients(): never {
    throw ofLayers();
  }

  slope(): never {
    throw ofLayers();
  }

  close(): void {}
}

/** Steps with two inputs are those of layers, which take no lists. */
function ofLayers(): TypeError {
  return new TypeError("x: expected a Float32Array or a Tensor, got nested arrays");
}

/** Runs a step on an array; y is written. */
function run<Result>(backend: Backend, x: View, y: View | null, step: (pass: Pass) => Result): Result {
  const pass = backend.open(x, y, null);
  try {
    return step(pass);
  } finally {
    pass.close();
  }
}

// ------------------------------------------------------------------------------ columns of either kind

function momentsOfColumns(x: Lists, arrays: Arrays, into: Statistics): boolean {
  into.count = x.size;
  for (const [j, list] of x.lists.entries()) {
    if (isPlain(list, x.size)) {
      if (!column.moments(list, j, into)) return false;
      continue;
    }
    const array = arrayOf(list, x.size);
    if (array === undefined) return false;
    const one = { count: 0, mean: into.mean.subarray(j, j + 1), m2: into.m2.subarray(j, j + 1) };
    run(backendOf(array, arrays), array, null, (pass) => pass.moments(plane(x.size), one));
  }
  return true;
}

function extremaOfColumns(x: Lists, arrays: Arrays, { min, max }: Bounds): boolean | null {
  let odd = false;
  for (const [j, list] of x.lists.entries()) {
    if (isPlain(list, x.size)) {
      const found = column.extrema(list, j, { min, max });
      if (found === null) return null;
      odd ||= found;
      continue;
    }
    const array = arrayOf(list, x.size);
    if (array === undefined) return null;
    const one = { min: min.subarray(j, j + 1), max: max.subarray(j, j + 1) };
    const found = run(backendOf(array, arrays), array, null, (pass) => pass.extrema(plane(x.size), one));
    odd ||= found;
  }
  return odd;
}

function applyToColumns(x: Lists, arrays: Arrays, map: Coefficients): Writable | null {
  const mapped: Writable = [];
  for (const [j, list] of x.lists.entries()) {
    if (isPlain(list, x.size)) {
      const y = column.apply(list, j, map);
      if (y === null) return null;
      mapped.push(y);
      continue;
    }
    const array = arrayOf(list, x.size);
    if (array === undefined) return null;
    const y = isFloat64Array(array) ? new Float64Array(x.size) : new Float32Array(x.size);
    const table = arrays.double.table({
      center: map.center.subarray(j, j + 1),
      scale: map.scale.subarray(j, j + 1),
      shift: map.shift.subarray(j, j + 1),
    });
    run(backendOf(array, arrays), array, y, (pass) => pass.apply(plane(x.size), table, NONE));
    mapped.push(y);
  }
  return mapped;
}

/** A list that is a typed array of this length. */
function arrayOf(list: unknown, size: number): View | undefined {
  return (isFloat64Array(list) || isFloat32Array(list)) && list.length === size ? list : undefined;
}

function backendOf(array: View, { double, single }: Arrays): Backend {
  return isFloat64Array(array) ? double : single;
}

/** A single plane of a single feature. */
function plane(size: number): Layout {
  return { outer: 1, features: 1, inner: size, length: size };
}

function clamp(list: Writable[number], { low, high }: After): void {
  for (let i = 0; i < list.length; i++) list[i] = Math.min(Math.max(list[i], low), high);
}
