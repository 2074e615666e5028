// What is present in rows and columns where they stand: reductions that ignore NaN, for the features that have any. They
// come after one that does not, by which all has been checked. See present.ts, which has those of arrays.

import type { Present } from "../backend.js";
import type { Nested, Numbers } from "../lists.js";
import { merge, ROUND, shiftOf } from "./moments.js";

/** NaN per feature of rows, four at a time. */
export function subtractGaps(rows: Nested, count: Float64Array): void {
  const none = new Array<number>(count.length).fill(0);
  for (let i = 0; i < rows.length; i += 4) {
    const r0 = rows[i];
    const r1 = i + 1 < rows.length ? rows[i + 1] : none;
    const r2 = i + 2 < rows.length ? rows[i + 2] : none;
    const r3 = i + 3 < rows.length ? rows[i + 3] : none;
    for (let j = 0; j < count.length; j++) {
      // A difference is a float64, where an item would become an object in arrays that may have holes.
      if (Number.isNaN(r0[j] - 0)) count[j]--;
      if (Number.isNaN(r1[j] - 0)) count[j]--;
      if (Number.isNaN(r2[j] - 0)) count[j]--;
      if (Number.isNaN(r3[j] - 0)) count[j]--;
    }
  }
}

export function gapsOf(column: readonly number[]): number {
  let gaps = 0;
  for (let i = 0; i < column.length; i++) if (Number.isNaN(column[i] - 0)) gaps++;
  return gaps;
}

/** In rounds, two values at a time, as in list-columns.ts. */
export function momentsOfColumn(column: readonly number[], into: Present): void {
  const { length } = column;
  const base = seed(column);
  let k = base;
  let count = 0;
  into.mean[0] = 0;
  into.m2[0] = 0;
  for (let i = 0; i < length; ) {
    const end = Math.min(length, i + ROUND);
    let n = end - i;
    let s0 = 0;
    let s1 = 0;
    let q0 = 0;
    let q1 = 0;
    for (; i < end; i += 2) {
      let d0 = column[i] - k;
      let d1 = i + 1 < end ? column[i + 1] - k : 0;
      if (Number.isNaN(d0)) {
        d0 = 0;
        n--;
      }
      if (Number.isNaN(d1)) {
        d1 = 0;
        n--;
      }
      s0 += d0;
      s1 += d1;
      q0 += d0 * d0;
      q1 += d1 * d1;
    }
    if (n === 0) continue;
    merge(into, 0, count, n, k - base, s0 + s1, q0 + q1);
    count += n;
    k = shiftOf(base + into.mean[0]);
  }
  into.count[0] = count;
  into.mean[0] += base;
}

/** The mean of the first 16 values that are present, about the first of them. */
function seed(column: readonly number[]): number {
  let k = 0;
  let n = 0;
  let s = 0;
  for (let i = 0; i < column.length && n < 16; i++) {
    const value = column[i];
    if (Number.isNaN(value)) continue;
    if (n === 0) k = shiftOf(value);
    s += value - k;
    n++;
  }
  return n === 0 ? 0 : shiftOf(k + s / n);
}

/**
 * In rounds of four rows at a time, as in list-rows.ts: 2 ns per value, where a copy of the rows takes 4 before it is
 * walked. Gaps are the exception, and so they are what is counted.
 */
export function momentsOfRows(rows: Nested, odd: readonly number[], { count, mean, m2 }: Present): void {
  const base = seeds(rows, odd);
  const shift = base.slice();
  const gaps = new Float64Array(odd.length);
  const s = new Float64Array(odd.length);
  const q = new Float64Array(odd.length);
  const none: Numbers = new Array<number>(rows[0].length).fill(Number.NaN);
  for (const values of [count, mean, m2]) for (const j of odd) values[j] = 0;
  for (let done = 0; done < rows.length; done += ROUND) {
    const end = Math.min(rows.length, done + ROUND);
    for (const sums of [gaps, s, q]) sums.fill(0);
    let i = done;
    for (; i < end; i += 4) {
      // What is missing is a row of gaps.
      const r0 = rows[i];
      const r1 = i + 1 < end ? rows[i + 1] : none;
      const r2 = i + 2 < end ? rows[i + 2] : none;
      const r3 = i + 3 < end ? rows[i + 3] : none;
      for (let at = 0; at < odd.length; at++) {
        const j = odd[at];
        const k = shift[at];
        let d0 = r0[j] - k;
        let d1 = r1[j] - k;
        let d2 = r2[j] - k;
        let d3 = r3[j] - k;
        if (Number.isNaN(d0)) {
          d0 = 0;
          gaps[at]++;
        }
        if (Number.isNaN(d1)) {
          d1 = 0;
          gaps[at]++;
        }
        if (Number.isNaN(d2)) {
          d2 = 0;
          gaps[at]++;
        }
        if (Number.isNaN(d3)) {
          d3 = 0;
          gaps[at]++;
        }
        s[at] += d0 + d1 + (d2 + d3);
        q[at] += d0 * d0 + d1 * d1 + (d2 * d2 + d3 * d3);
      }
    }
    for (const [at, j] of odd.entries()) {
      const n = i - done - gaps[at];
      if (n === 0) continue;
      merge({ mean, m2 }, j, count[j], n, shift[at] - base[at], s[at], q[at]);
      count[j] += n;
      shift[at] = shiftOf(base[at] + mean[j]);
    }
  }
  for (const [at, j] of odd.entries()) mean[j] += base[at];
}

/** The same of every odd feature. */
function seeds(rows: Nested, odd: readonly number[]): Float64Array {
  const k = new Float64Array(odd.length);
  const n = new Float64Array(odd.length);
  const s = new Float64Array(odd.length);
  let left = odd.length;
  for (let i = 0; i < rows.length && left > 0; i++) {
    const row = rows[i];
    for (const [at, j] of odd.entries()) {
      if (n[at] === 16 || Number.isNaN(row[j])) continue;
      if (n[at] === 0) k[at] = shiftOf(row[j]);
      s[at] += row[j] - k[at];
      n[at]++;
      if (n[at] === 16) left--;
    }
  }
  for (let at = 0; at < k.length; at++) if (n[at] > 0) k[at] = shiftOf(k[at] + s[at] / n[at]);
  return k;
}
