// What is present: reductions that ignore NaN, value by value, for the features that have any.

import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";
import { shiftOf } from "./moments.js";

/** Per feature the mean and m2 = Σ(x − mean)² of `count` values; both 0 where there is none. */
export interface Present {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
}

/** The moments of the `odd` features, about the first value of each, which leaves a constant at exactly 0. */
export function momentsPresent(x: Float32Array, layout: Layout, odd: readonly number[], into: Present): void {
  const { outer, features, inner } = layout;
  const { count, mean, m2 } = into;
  const shift = new Float64Array(features).fill(Number.NaN);
  for (const values of [count, mean, m2]) for (const j of odd) values[j] = 0;
  const block = rowsPerBlock(features * inner);
  for (let first = 0; first < outer; first += block) {
    const last = Math.min(outer, first + block);
    for (const j of odd) {
      let k = shift[j];
      let n = 0;
      let s = 0;
      let q = 0;
      for (let row = first; row < last; row++) {
        let i = (row * features + j) * inner;
        for (const end = i + inner; i < end; i++) {
          const value = x[i];
          if (Number.isNaN(value)) continue;
          if (Number.isNaN(k)) k = shiftOf(value);
          const d = value - k;
          n++;
          s += d;
          q += d * d;
        }
      }
      shift[j] = k;
      count[j] += n;
      mean[j] += s;
      m2[j] += q;
    }
  }
  for (const j of odd) {
    if (count[j] === 0) continue;
    const s = mean[j];
    const d = s / count[j];
    mean[j] = shift[j] + d;
    m2[j] = Math.max(m2[j] - s * d, 0);
  }
}

/** Values per feature that are not NaN. */
export function countPresent(x: Float32Array, { outer, features, inner }: Layout): Float64Array {
  const count = new Float64Array(features);
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      let n = 0;
      for (const end = i + inner; i < end; i++) if (!Number.isNaN(x[i])) n++;
      count[j] += n;
    }
  }
  return count;
}
