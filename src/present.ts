// Moments of what is present: NaN is ignored, so that every feature has a count of its own.

import { wrongValue } from "./argument.js";
import { current } from "./backend.js";
import type { Layout } from "./layout.js";
import { emptyStatistics } from "./moments.js";

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

/** The `odd` features anew in float64: the mean first, then the squares about it, corrected by what is left of it. */
function recount(
  x: Float32Array,
  layout: Layout,
  odd: readonly number[],
  { count, mean, m2 }: Present,
): void {
  for (const values of [count, mean, m2]) for (const j of odd) values[j] = 0;
  eachOf(x, layout, odd, (value, j) => {
    if (!Number.isFinite(value)) throw wrongValue("x", "finite values or NaN", `${value} in feature ${j}`);
    count[j]++;
    mean[j] += value;
  });
  for (const j of odd) mean[j] /= count[j];
  const rest = new Float64Array(layout.features);
  eachOf(x, layout, odd, (value, j) => {
    const d = value - mean[j];
    rest[j] += d;
    m2[j] += d * d;
  });
  for (const j of odd) {
    const delta = rest[j] / count[j];
    mean[j] += delta;
    m2[j] = Math.max(m2[j] - rest[j] * delta, 0);
  }
}

/** Every value but NaN of the given features, in memory order. */
function eachOf(
  x: Float32Array,
  { outer, features, inner }: Layout,
  some: readonly number[],
  visit: (value: number, feature: number) => void,
): void {
  for (let row = 0; row < outer; row++) {
    for (const j of some) {
      let i = (row * features + j) * inner;
      for (const end = i + inner; i < end; i++) if (!Number.isNaN(x[i])) visit(x[i], j);
    }
  }
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
