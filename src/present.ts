// Moments of what is present: NaN is ignored, so that every feature has a count of its own.

import { wrongValue } from "./argument.js";
import { current } from "./backend.js";
import type { Layout } from "./layout.js";
import { emptyStatistics } from "./moments.js";

/** Values per block of rows, which stays in cache while its features are walked one by one. */
const BLOCK = 8192;

/** Per feature the mean and m2 = Σ(x − mean)² of `count` values; both NaN where there is none. */
export interface Present {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
}

/**
 * The moments of x, NaN ignored. NaN and infinity show in the moments that the backend reduces, so that
 * data without them pay nothing; the features that have them are reduced again, value by value.
 *
 * @throws RangeError if a value is infinite
 */
export function present(x: Float32Array, layout: Layout): Present {
  const { count: n, mean, m2 } = reduced(x, layout);
  const count = new Float64Array(layout.features).fill(n);
  const odd: number[] = [];
  for (let j = 0; j < layout.features; j++) if (!Number.isFinite(m2[j] + mean[j])) odd.push(j);
  if (odd.length > 0) recount(x, layout, odd, { count, mean, m2 });
  return { count, mean, m2 };
}

function reduced(x: Float32Array, layout: Layout) {
  const statistics = emptyStatistics(layout.features);
  current().reduce(x, layout, statistics);
  return statistics;
}

/** The `odd` features anew in float64: sums about the first value of each, which a constant leaves at 0. */
function recount(x: Float32Array, layout: Layout, odd: readonly number[], part: Present): void {
  const { outer, features, inner } = layout;
  const { count, mean, m2 } = part;
  const shift = new Float64Array(features).fill(Number.NaN);
  for (const values of [count, mean, m2]) for (const j of odd) values[j] = 0;
  const block = Math.max(1, Math.floor(BLOCK / (features * inner)));
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
          if (Number.isNaN(k)) k = value;
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
    const s = mean[j];
    if (count[j] > 0 && !Number.isFinite(s)) throw infinite(x, layout, j);
    const d = s / count[j];
    mean[j] = shift[j] + d;
    m2[j] = Math.max(m2[j] - s * d, 0);
  }
}

/** What is wrong with a feature that has an infinite value. */
function infinite(x: Float32Array, { features, inner }: Layout, feature: number): RangeError {
  const value = x.find(
    (v, i) => Math.abs(v) === Number.POSITIVE_INFINITY && Math.floor(i / inner) % features === feature,
  );
  return wrongValue("x", "finite values or NaN", `${value} in feature ${feature}`);
}

/** Chan's merge per feature: with e = b.mean − a.mean, mean += e·b.count/n and m2 += b.m2 + e²·a.count·b.count/n. */
export function mergedPresent(a: Present, b: Present): Present {
  const count = a.count.slice();
  const mean = a.mean.slice();
  const m2 = a.m2.slice();
  for (let j = 0; j < count.length; j++) {
    count[j] += b.count[j];
    if (b.count[j] === 0) continue;
    if (a.count[j] === 0) {
      mean[j] = b.mean[j];
      m2[j] = b.m2[j];
      continue;
    }
    const e = b.mean[j] - a.mean[j];
    const weight = b.count[j] / count[j];
    mean[j] += e * weight;
    m2[j] += b.m2[j] + e * e * a.count[j] * weight;
  }
  return { count, mean, m2 };
}
