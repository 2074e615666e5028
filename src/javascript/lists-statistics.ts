// The reductions of rows and columns. Arrays of numbers are walked where they stand; a column that is a typed array is
// one for the steps on arrays; all else is copied first, which also finds out what is wrong.

import type { Ends, Present, StatisticsSteps, Values } from "../backend.js";
import { type Layout, samples } from "../layout.js";
import { isPlain, Lists, plane } from "../lists.js";
import * as column from "./list-columns.js";
import { gapsOf, momentsOfColumn, momentsOfRows, subtractGaps } from "./list-present.js";
import * as rows from "./list-rows.js";
import { oddOf } from "./statistics.js";

export class ListsStatistics implements StatisticsSteps {
  readonly #arrays: StatisticsSteps;

  constructor(arrays: StatisticsSteps) {
    this.#arrays = arrays;
  }

  moments(x: Values, layout: Layout, skip: boolean, into: Present): void {
    const walked =
      x instanceof Lists &&
      (x.kind === "rows"
        ? this.#momentsOfRows(x, layout, skip, into)
        : this.#momentsOfColumns(x, skip, into)) &&
      x.isWhole;
    if (!walked) this.#arrays.moments(copyOf(x), layout, skip, into);
  }

  extrema(x: Values, layout: Layout, into: Ends): void {
    const walked =
      x instanceof Lists &&
      (x.kind === "rows" ? this.#extremaOfRows(x, layout, into) : this.#extremaOfColumns(x, into)) &&
      x.isWhole;
    if (!walked) this.#arrays.extrema(copyOf(x), layout, into);
  }

  #momentsOfRows({ lists }: Lists, layout: Layout, skip: boolean, into: Present): boolean {
    if (!rows.moments(lists, layout.features, into)) return false;
    into.count.fill(samples(layout));
    if (!skip) return true;
    const odd = oddOf(into);
    if (odd.length > 0) momentsOfRows(lists, odd, into);
    return true;
  }

  #momentsOfColumns(x: Lists, skip: boolean, { count, mean, m2 }: Present): boolean {
    for (let j = 0; j < x.count; j++) {
      const list = x.lists[j];
      const one = {
        count: count.subarray(j, j + 1),
        mean: mean.subarray(j, j + 1),
        m2: m2.subarray(j, j + 1),
      };
      if (isPlain(list, x.size)) {
        if (!column.moments(list, one) || list.length !== x.size) return false;
        count[j] = x.size;
        if (skip && oddOf(one).length > 0) momentsOfColumn(list, one);
        continue;
      }
      const array = x.arrayAt(j);
      if (array === undefined) return false;
      this.#arrays.moments(array, plane(x.size), skip, one);
    }
    return true;
  }

  #extremaOfRows({ lists }: Lists, layout: Layout, into: Ends): boolean {
    const odd = rows.extrema(lists, layout.features, into);
    if (odd === null) return false;
    into.count.fill(samples(layout));
    if (odd) subtractGaps(lists, into.count);
    return true;
  }

  #extremaOfColumns(x: Lists, { count, min, max }: Ends): boolean {
    for (let j = 0; j < x.count; j++) {
      const list = x.lists[j];
      const one = {
        count: count.subarray(j, j + 1),
        min: min.subarray(j, j + 1),
        max: max.subarray(j, j + 1),
      };
      if (isPlain(list, x.size)) {
        const odd = column.extrema(list, one);
        if (odd === null || list.length !== x.size) return false;
        count[j] = x.size - (odd ? gapsOf(list) : 0);
        continue;
      }
      const array = x.arrayAt(j);
      if (array === undefined) return false;
      this.#arrays.extrema(array, plane(x.size), one);
    }
    return true;
  }
}

function copyOf(x: Values): Values {
  return x instanceof Lists ? x.values : x;
}
