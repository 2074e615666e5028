// The maps of nested arrays, on the float64 backend. Rows and columns that are arrays of numbers are walked where they stand; a column
// that is a typed array is one for the loops of arrays; all else is copied first, which also finds out what is wrong.

import { isFloat64Array } from "../argument.js";
import type { After, Backend, Coefficients, Folded, Pass, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { isPlain, Lists, plane, type Writable } from "../lists.js";
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

  moments(): never {
    throw ofLayers();
  }

  gradients(): never {
    throw ofLayers();
  }

  slope(): never {
    throw ofLayers();
  }

  close(): void {}
}

/** The other steps are those of layers, which take no lists; statistics have their own, see lists-statistics.ts. */
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

/** Columns of either kind; null where one is something else. */
function applyToColumns(x: Lists, arrays: Arrays, map: Coefficients): Writable | null {
  const mapped: Writable = [];
  for (const [j, list] of x.lists.entries()) {
    if (isPlain(list, x.size)) {
      const y = column.apply(list, j, map);
      if (y === null) return null;
      mapped.push(y);
      continue;
    }
    const array = x.arrayAt(j);
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

function backendOf(array: View, { double, single }: Arrays): Backend {
  return isFloat64Array(array) ? double : single;
}

function clamp(list: Writable[number], { low, high }: After): void {
  for (let i = 0; i < list.length; i++) list[i] = Math.min(Math.max(list[i], low), high);
}
