// What is present: reductions that ignore NaN, for the features that have any.

import type { Present, View } from "../backend.js";
import type { Layout } from "../layout.js";
import { rowsPerBlock } from "./block.js";
import { merge, ROUND, shiftOf } from "./moments.js";

/** The moments of the `odd` features; see moments.ts. */
export function momentsPresent(x: View, layout: Layout, odd: readonly number[], into: Present): void {
  const { outer, features, inner } = layout;
  // Until the end the mean is counted from a base, see moments.ts.
  const bases = odd.map((j) => seed(x, layout, j));
  const shifts = bases.slice();
  for (const values of [into.count, into.mean, into.m2]) for (const j of odd) values[j] = 0;
  const sums = { count: new Float64Array(2), s: new Float64Array(2), q: new Float64Array(2) };
  const rows = inner === 1 ? rowsPerBlock(features) : Math.floor(ROUND / inner);
  const block = Math.min(Math.max(1, rows), ROUND);
  for (let row = 0; row < outer; row += block) {
    const end = Math.min(outer, row + block);
    // More than a round of a plane is taken in parts.
    for (let from = 0; from < inner; from += ROUND) {
      const to = Math.min(inner, from + ROUND);
      // Two features at a time: the second one's additions need not wait for the first one's.
      for (let at = 0; at < odd.length; at += 2) {
        const pair = Math.min(2, odd.length - at);
        if (pair === 2 && inner === 1) {
          addColumns(x, row, end, features, odd[at], odd[at + 1], shifts[at], shifts[at + 1], sums);
        } else {
          for (let i = 0; i < pair; i++) {
            addPlanes(x, row, end, layout, odd[at + i], from, to, shifts[at + i], i, sums);
          }
        }
        for (let i = 0; i < pair; i++) {
          const j = odd[at + i];
          const n = sums.count[i];
          if (n === 0) continue;
          merge(into, j, into.count[j], n, shifts[at + i] - bases[at + i], sums.s[i], sums.q[i]);
          into.count[j] += n;
          shifts[at + i] = shiftOf(bases[at + i] + into.mean[j]);
        }
      }
    }
  }
  for (const [at, j] of odd.entries()) if (into.count[j] > 0) into.mean[j] += bases[at];
}

interface Sums {
  readonly count: Float64Array;
  readonly s: Float64Array;
  readonly q: Float64Array;
}

/** Rows first … last of two columns. Only NaN is not itself. */
function addColumns(
  x: View,
  first: number,
  last: number,
  features: number,
  a: number,
  b: number,
  ka: number,
  kb: number,
  { count, s, q }: Sums,
): void {
  let na = 0;
  let nb = 0;
  let sa = 0;
  let sb = 0;
  let qa = 0;
  let qb = 0;
  for (let i = first * features, end = last * features; i < end; i += features) {
    const da = x[i + a] - ka;
    const db = x[i + b] - kb;
    if (!Number.isNaN(da)) {
      na++;
      sa += da;
      qa += da * da;
    }
    if (!Number.isNaN(db)) {
      nb++;
      sb += db;
      qb += db * db;
    }
  }
  count[0] = na;
  count[1] = nb;
  s[0] = sa;
  s[1] = sb;
  q[0] = qa;
  q[1] = qb;
}

/** Values from … to of the planes of one feature, of rows or images first … last. */
function addPlanes(
  x: View,
  first: number,
  last: number,
  { features, inner }: Layout,
  j: number,
  from: number,
  to: number,
  k: number,
  at: number,
  { count, s, q }: Sums,
): void {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (let row = first; row < last; row++) {
    const plane = (row * features + j) * inner;
    for (let i = plane + from; i < plane + to; i++) {
      const d = x[i] - k;
      if (Number.isNaN(d)) continue;
      n++;
      sum += d;
      squares += d * d;
    }
  }
  count[at] = n;
  s[at] = sum;
  q[at] = squares;
}

/** The mean of the first 16 values that are present, about the first of them. */
function seed(x: View, { outer, features, inner }: Layout, j: number): number {
  let k = Number.NaN;
  let n = 0;
  let s = 0;
  for (let row = 0; row < outer && n < 16; row++) {
    let i = (row * features + j) * inner;
    for (const end = i + inner; i < end && n < 16; i++) {
      if (Number.isNaN(x[i])) continue;
      if (n === 0) k = shiftOf(x[i]);
      s += x[i] - k;
      n++;
    }
  }
  return shiftOf(k + s / Math.max(n, 1));
}

/** count = the values per feature that are not NaN. */
export function countPresent(x: View, { outer, features, inner }: Layout, count: Float64Array): void {
  count.fill(0);
  let i = 0;
  for (let image = 0; image < outer; image++) {
    for (let j = 0; j < features; j++) {
      let n = 0;
      for (const end = i + inner; i < end; i++) if (!Number.isNaN(x[i])) n++;
      count[j] += n;
    }
  }
}
