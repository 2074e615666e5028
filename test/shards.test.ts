// Fits of shards as one: in any order of the same shards, and of the same values in other shards.

import * as fc from "fast-check";
import { Moments, StandardScaler } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make } from "./data.js";
import { exactly } from "./exact.js";

const sizes = { outer: 6400, features: 3, inner: 1 };
const u = 2 ** -53;

/** Every feature sorted, so that shards differ as much as they can, about a mean of so many standard deviations. */
function sorted(mean: number): Float64Array {
  return Float64Array.from(make(sizes, "N(0, 1)"))
    .sort()
    .map((draw) => mean + draw);
}

const x = sorted(10);
const largest = Math.max(...exactly(x, sizes).map((one) => one.largest / Math.sqrt(one.variance)));

/**
 * What k merges, one after the other, add to the error of the mean, in standard deviations: each rounds it to u·L, L
 * the largest value, and averages the errors so far. One more rounding is that of the difference e of two means.
 */
const ofMean = (k: number) => (k + 1) * u * largest;

/**
 * What they add to the error of the variance, relative to it: a merge adds e²·w to m2, w = a.count·b.count/n, which is
 * off by 2·|e|·w·δ, δ the error of e. By Cauchy and Schwarz that is at most 2·δ·√(Σe²w)·√(Σw) ≤ 2·δ·n·σ in all, since
 * Σe²w ≤ n·σ² and Σw ≤ n, of a sum of n·σ². Terms are positive: their own roundings, and two sums each, are relative.
 */
const ofVariance = (k: number, ofShards: number) => 2 * (ofMean(k) + ofShards * largest) + (2 * k + 8) * u;

/** Alone, a mean is within 2·10⁻¹³ of the largest value, and a variance within 10⁻¹² of itself (assembly/exact.ts). */
const ALONE = { mean: 2e-13, variance: 1e-12 };

type Fit = Moments | StandardScaler;

/** The fits of parts as one, merged in their order; `sent` as JSON, as between processes. */
const nouns: Record<string, (parts: readonly Float64Array[], sent?: boolean) => Fit> = {
  Moments: (parts, sent = false) =>
    parts
      .map((part) => new Moments(3).add(part))
      .map((one) => (sent ? Moments.fromJSON(JSON.parse(JSON.stringify(one))) : one))
      .reduce((all, one) => all.merge(one)),
  StandardScaler: (parts, sent = false) =>
    parts
      .map((part) => new StandardScaler(3).fit(part))
      .map((one) => (sent ? StandardScaler.fromJSON(JSON.parse(JSON.stringify(one))) : one))
      .reduce((all, one) => all.merge(one)),
};

/** The rows between cuts. */
function split(values: Float64Array, cuts: readonly number[]): Float64Array[] {
  const ends = [...cuts, sizes.outer].sort((a, b) => a - b);
  return ends.map((end, i) => values.subarray(3 * (ends[i - 1] ?? 0), 3 * end));
}

/** To within these bounds: the mean's in standard deviations, the variance's relative to it. */
function agree(a: Fit, b: Fit, mean: number, variance: number): void {
  expect(a.count).toBe(b.count);
  for (let j = 0; j < 3; j++) {
    const [v, w] = [a.variance?.[j] ?? Number.NaN, b.variance?.[j] ?? Number.NaN];
    const [m, n] = [a.mean?.[j] ?? Number.NaN, b.mean?.[j] ?? Number.NaN];
    expect(Math.abs(m - n)).toBeLessThanOrEqual(mean * Math.sqrt(w));
    expect(Math.abs(v / w - 1)).toBeLessThanOrEqual(variance);
  }
}

const shards = Array.from({ length: 31 }, (_, i) => 200 * (i + 1));
const cuts = fc.uniqueArray(fc.integer({ min: 1, max: sizes.outer - 1 }), { maxLength: 31 });

onBothBackends(() => {
  describe.each(Object.keys(nouns))("%s of shards", (name) => {
    const fit = nouns[name];

    test("in the same order are the same bits", () => {
      const parts = split(x, shards);
      expect(fit(parts, true).toJSON()).toEqual(fit(parts).toJSON());
    });

    test("in any order agree to 10⁻¹²", () => {
      const [mean, variance] = [2 * ofMean(32), 2 * ofVariance(32, 0)];
      expect(Math.max(mean, variance)).toBeLessThanOrEqual(1e-12);
      const parts = split(x, shards);
      const inOrder = fit(parts);
      fc.assert(
        fc.property(fc.shuffledSubarray(parts, { minLength: 32 }), (shuffled) => {
          agree(fit(shuffled), inOrder, mean, variance);
        }),
        { seed: 21, numRuns: 100 },
      );
    });

    test("agree with any other shards to 10⁻¹¹", () => {
      const mean = ofMean(32) + 2 * ALONE.mean * largest;
      const variance = ofVariance(32, ALONE.mean) + 2 * ALONE.variance;
      expect(Math.max(mean, variance)).toBeLessThanOrEqual(1e-11);
      const whole = fit([x]);
      fc.assert(
        fc.property(cuts, (at) => agree(fit(split(x, at)), whole, mean, variance)),
        { seed: 22, numRuns: 100 },
      );
    });

    // Here the bounds are 50 times as wide: they let all roundings fall to one side.
    test("agree so also about a mean of 1000 standard deviations", () => {
      const far = sorted(1000);
      const whole = fit([far]);
      fc.assert(
        fc.property(cuts, (at) => agree(fit(split(far, at)), whole, 1e-11, 1e-11)),
        { seed: 23, numRuns: 100 },
      );
    });
  });
});
