// The scalers against scikit-learn's formulas in float64, on both backends.

import fc from "fast-check";
import { backend, MinMaxScaler, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { kinds, make, uniform } from "./data.js";
import { eachValue, minMax, type Sizes, standard, u, worst } from "./reference.js";

const FEATURES = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100];
const ROWS = [1, 2, 3, 4, 5, 7, 8, 31, 64, 257, 1000];
const PLANES = [1, 2, 3, 7, 16, 17, 49, 64, 65, 257, 784];
const RANGES: [number, number][] = [
  [0, 1],
  [-1, 1],
  [5, 7],
  [0, 255],
  [-3, 0],
  [0.1, 0.9],
];

/** The same cases, the same shrinking, every time; a failure prints seed and path. */
const seeded = { seed: 20, numRuns: 100 };

function seen({ outer, features, inner }: Sizes) {
  return { axis: 1, shape: [outer, features, inner] };
}

/** A fraction of the values becomes NaN. */
function withHoles(x: Float32Array, fraction: number, seed = 5): Float32Array {
  const random = uniform(seed);
  return x.map((value) => (random() < fraction ? Number.NaN : value));
}

/** Every value with the statistic of its feature. */
function expand(sizes: Sizes, values: (j: number, i: number) => number): Float64Array {
  const y = new Float64Array(sizes.outer * sizes.features * sizes.inner);
  eachValue(sizes, (i, j) => {
    y[i] = values(j, i);
  });
  return y;
}

/** The distance of float32 numbers at v. */
function ulp(v: number): number {
  return Math.max(2 ** (Math.floor(Math.log2(Math.abs(v))) - 23), 2 ** -149);
}

function list(count: number | Float64Array | undefined, features: number): Float64Array | undefined {
  return typeof count === "number" ? new Float64Array(features).fill(count) : count;
}

/**
 * The statistics are promised like those of training: the variance within 5·10⁻⁷, the mean within 1 ULP at
 * the scale of the data.
 *
 * The transform is compared with the formula on the scaler's own statistics. With t = (x − center)·scale,
 * subtraction, scale and product are rounded, at 3u|t|, the shift at u·|shift| and the sum at u|y|. The
 * shift stands for at most half a unit of the center, so that |shift| ≤ |t|/2 and |t| ≤ 2|y| where t is not
 * 0: at most 8u|y|; 10u, because units halve below powers of two. What underflows costs the smallest float32.
 */
function checkStandard(x: Float32Array, sizes: Sizes): void {
  const { axis, shape } = seen(sizes);
  const { features } = sizes;
  const about = JSON.stringify(sizes);
  const exact = standard(x, sizes);
  const scaler = new StandardScaler(features, { axis }).fit(x, { shape });
  const { mean, variance, scale } = scaler;
  if (!mean || !variance || !scale) throw new Error("expected a fitted scaler");

  expect(list(scaler.count, features)).toEqual(exact.count);
  const m = worst(mean, exact.mean, (m, j) => ulp(Math.max(Math.abs(m), Math.sqrt(exact.variance[j]))));
  expect(m.ratio, `mean of ${about} at ${m.at}`).toBeLessThanOrEqual(1);
  const v = worst(variance, exact.variance, (v) => 5e-7 * v);
  expect(v.ratio, `variance of ${about} at ${v.at}`).toBeLessThanOrEqual(1);
  const s = worst(scale, exact.scale, (s) => 2.5e-7 * s);
  expect(s.ratio, `scale of ${about} at ${s.at}`).toBeLessThanOrEqual(1);

  const y = scaler.transform(x, { shape });
  const formula = expand(sizes, (j, i) => (x[i] - mean[j]) / scale[j]);
  const forth = worst(y, formula, (y) => 10 * u * Math.abs(y) + 2 ** -148);
  expect(forth.ratio, `transform of ${about} at ${forth.at}`).toBeLessThanOrEqual(1);

  const back = scaler.inverseTransform(y, { shape });
  const inverse = expand(sizes, (j, i) => y[i] * scale[j] + mean[j]);
  const reach = expand(sizes, (j, i) => 4 * u * (Math.abs(y[i] * scale[j]) + Math.abs(mean[j])));
  const undone = worst(back, inverse, (_, i) => reach[i] + 2 ** -148);
  expect(undone.ratio, `inverse of ${about} at ${undone.at}`).toBeLessThanOrEqual(1);
}

/**
 * Minimum and maximum exact, and on the ends of the range, as float32 has them; all else within them, and
 * within 5 ULP of the larger end (see range.ts for the sum), 1 in float64 steps: half for the result, half for the ends.
 */
function checkMinMax(x: Float32Array, sizes: Sizes, range: [number, number]): void {
  const { axis, shape } = seen(sizes);
  const about = `${JSON.stringify(sizes)} to ${range}`;
  const exact = minMax(x, sizes, range);
  const scaler = new MinMaxScaler(sizes.features, { axis, range }).fit(x, { shape });
  expect(scaler.min, about).toEqual(exact.min);
  expect(scaler.max, about).toEqual(exact.max);
  expect(scaler.scale, about).toEqual(exact.scale);
  expect(list(scaler.count, sizes.features), about).toEqual(standard(x, sizes).count);

  const y = scaler.transform(x, { shape });
  const largest = Math.max(Math.abs(range[0]), Math.abs(range[1]));
  const forth = worst(y, exact.y, () => (backend() === "wasm" ? 5 : 1) * ulp(largest));
  expect(forth.ratio, `transform of ${about} at ${forth.at}`).toBeLessThanOrEqual(1);
  const [low, high] = range.map(Math.fround);
  eachValue(sizes, (i, j) => {
    if (Number.isNaN(x[i])) return;
    if (y[i] < low || y[i] > high) expect.fail(`${y[i]} of ${about} at ${i} is outside`);
    if (x[i] === exact.min[j] && y[i] !== low) expect.fail(`minimum of ${about} became ${y[i]}`);
    const constant = exact.max[j] - exact.min[j] < 10 * 2 ** -52;
    if (x[i] === exact.max[j] && !constant && y[i] !== high) {
      expect.fail(`maximum of ${about} became ${y[i]}`);
    }
  });

  // y·(1/scale) + min, its parts rounded once each: 6u of the data's largest value.
  const back = scaler.inverseTransform(y, { shape });
  const reach = expand(sizes, (j) => 6 * u * Math.max(Math.abs(exact.min[j]), Math.abs(exact.max[j])));
  const inverse = expand(sizes, (j, i) => (y[i] - range[0]) / exact.scale[j] + exact.min[j]);
  const rounding = expand(sizes, (j) => (2 * u * largest) / exact.scale[j]);
  const undone = worst(back, inverse, (_, i) => reach[i] + rounding[i] + 2 ** -148);
  expect(undone.ratio, `inverse of ${about} at ${undone.at}`).toBeLessThanOrEqual(1);
}

function checkBoth(x: Float32Array, sizes: Sizes, ranges = RANGES.slice(0, 2)): void {
  checkStandard(x, sizes);
  for (const range of ranges) checkMinMax(x, sizes, range);
}

onBothBackends((name) => {
  describe("every size", () => {
    test.each(FEATURES)("%i features last, every number of rows", (features) => {
      for (const outer of ROWS) {
        const sizes = { outer, features, inner: 1 };
        checkBoth(make(sizes, "N(0, 1)"), sizes);
        checkBoth(withHoles(make(sizes, "mean 1e4, std 1"), 0.2), sizes);
      }
    });

    test.each(PLANES)("planes of %i", (inner) => {
      for (const [outer, features] of [
        [1, 1],
        [1, 5],
        [3, 8],
        [5, 33],
        [70, 3],
      ]) {
        const sizes = { outer, features, inner };
        checkBoth(make(sizes, "N(0, 1)"), sizes);
        checkBoth(withHoles(make(sizes, "N(0, 1)"), 0.2), sizes);
      }
    });

    test.each(Object.keys(kinds))("data: %s", (kind) => {
      for (const sizes of [
        { outer: 2, features: 3, inner: 1 },
        { outer: 1000, features: 8, inner: 1 },
        { outer: 20, features: 3, inner: 49 },
      ]) {
        checkStandard(make(sizes, kind), sizes);
        // Below the bound of scikit-learn everything is constant.
        for (const range of RANGES) checkMinMax(make(sizes, kind), sizes, range);
        checkStandard(withHoles(make(sizes, kind), 0.3), sizes);
      }
    });
  });

  describe("fields", () => {
    const x = Float32Array.of(1, 10, Number.NaN, 20, 3, 30);

    test("undefined before fitting", () => {
      const { count, mean, variance, scale } = new StandardScaler(2);
      expect([count, mean, variance, scale]).toEqual([undefined, undefined, undefined, undefined]);
      const other = new MinMaxScaler(2);
      expect([other.count, other.min, other.max, other.scale]).toEqual(Array(4).fill(undefined));
    });

    test("the count is a number if all features have as many values", () => {
      expect(new StandardScaler(2).fit(x).count).toEqual(Float64Array.of(2, 3));
      expect(new StandardScaler(2).fit(Float32Array.of(1, 2)).count).toBe(1);
      expect(new MinMaxScaler(2).fit(x).count).toEqual(Float64Array.of(2, 3));
    });

    test("without mean or deviation", () => {
      const mean = new StandardScaler(2, { withStd: false }).fit(x);
      expect([mean.variance, mean.scale]).toEqual([undefined, undefined]);
      expect(mean.transform(x)).toEqual(Float32Array.of(-1, -10, Number.NaN, 0, 1, 10));
      expect(mean.inverseTransform(Float32Array.of(1, 10))).toEqual(Float32Array.of(3, 30));
      const scale = new StandardScaler(2, { withMean: false }).fit(x);
      expect(scale.mean).toEqual(Float64Array.of(2, 20));
      expect(scale.transform(Float32Array.of(2, 0))).toEqual(Float32Array.of(2, 0));
    });

    test("what a field returned does not change", () => {
      const scaler = new StandardScaler(2).fit(x);
      const { mean } = scaler;
      mean?.fill(9);
      scaler.partialFit(x);
      expect(scaler.mean).toEqual(Float64Array.of(2, 20));
    });
  });

  describe("constants", () => {
    test("a constant becomes 0, or the lower end of the range", () => {
      for (const value of [0, 0.1, 1234567.25, -3e-20, 3e38]) {
        for (const sizes of [
          { outer: 1, features: 3, inner: 1 },
          { outer: 1000, features: 3, inner: 1 },
          { outer: 2, features: 3, inner: 77 },
        ]) {
          const x = new Float32Array(sizes.outer * 3 * sizes.inner).fill(value);
          x[1] = Number.NaN;
          const { axis, shape } = seen(sizes);
          const standard = new StandardScaler(3, { axis }).fit(x, { shape });
          const y = standard.transform(x, { shape });
          expect(y).toEqual(x.map((v) => (Number.isNaN(v) ? v : 0)));
          const range: [number, number] = [-2.5, 4];
          const z = new MinMaxScaler(3, { axis, range }).fitTransform(x, { shape });
          expect(z).toEqual(x.map((v) => (Number.isNaN(v) ? v : -2.5)));
        }
      }
    });

    test("the bounds of scikit-learn: variance ≤ n·ε·variance + (n·ε·mean)², max − min < 10·ε", () => {
      // At mean 10⁶ and n = 2²² the bound is (2²²·2⁻⁵²·10⁶)² ≈ 8.7·10⁻⁷; one value off by 1/16 makes a
      // variance of 2⁻⁸/n ≈ 9.3·10⁻¹⁰, which is constant; 4000 of them make 3.7·10⁻⁶, which is not.
      const n = 2 ** 22;
      const x = new Float32Array(n).fill(1e6);
      x[77] += 1 / 16;
      expect(new StandardScaler(1).fit(x).scale).toEqual(Float64Array.of(1));
      x.fill(1e6 + 1 / 16, 0, 4000);
      expect(new StandardScaler(1).fit(x).scale?.[0]).toBeLessThan(0.01);

      for (const [Values, epsilon] of [
        [Float32Array, 2 ** -23],
        [Float64Array, 2 ** -52],
      ] as const) {
        const scale = (max: number) => new MinMaxScaler(1).fit(Values.of(0, max)).scale?.[0];
        expect(scale(9.9 * epsilon)).toBe(1);
        expect(scale(10.1 * epsilon)).toBeCloseTo(1 / (10.1 * epsilon), -Math.log10(1 / epsilon) + 5);
      }
    });

    test("nearly constant columns at large means are not amplified", () => {
      for (const step of [0, 1 / 16, 1 / 8]) {
        const x = Float32Array.from({ length: 999 }, (_, i) => 1e6 + step * (i % 3));
        checkBoth(x, { outer: 999, features: 1, inner: 1 });
      }
    });
  });

  describe("NaN and infinity", () => {
    test("a feature of nothing but NaN is NaN, until it has values", () => {
      const x = Float32Array.of(Number.NaN, 1, Number.NaN, 3);
      const standard = new StandardScaler(2).fit(x);
      expect(standard.count).toEqual(Float64Array.of(0, 2));
      expect(standard.mean).toEqual(Float64Array.of(Number.NaN, 2));
      expect(standard.scale).toEqual(Float64Array.of(Number.NaN, 1));
      expect(standard.transform(Float32Array.of(5, 3))).toEqual(Float32Array.of(Number.NaN, 1));
      standard.partialFit(Float32Array.of(2, 3, 4, 3));
      expect(standard.mean).toEqual(Float64Array.of(3, 2.5));

      const minmax = new MinMaxScaler(2).fit(x);
      expect(minmax.min).toEqual(Float64Array.of(Number.NaN, 1));
      expect(minmax.scale).toEqual(Float64Array.of(Number.NaN, 0.5));
      expect(minmax.transform(Float32Array.of(5, 3))).toEqual(Float32Array.of(Number.NaN, 1));
      minmax.partialFit(Float32Array.of(2, 3, 4, 3));
      expect(minmax.transform(Float32Array.of(3, 2))).toEqual(Float32Array.of(0.5, 0.5));
    });

    test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      "%f is refused, and what was fitted stays",
      (odd) => {
        for (const Scaler of [StandardScaler, MinMaxScaler]) {
          const scaler = new Scaler(4).fit(make({ outer: 9, features: 4, inner: 1 }, "N(0, 1)"));
          const before = JSON.stringify(scaler);
          for (const others of [0, Number.NaN]) {
            const x = new Float32Array(40).fill(others);
            x[23] = odd;
            const message = `x: expected finite values or NaN, got ${odd} in feature 3`;
            expect(() => scaler.fit(x)).toThrow(new RangeError(message));
            expect(() => scaler.partialFit(x)).toThrow(new RangeError(message));
            expect(() => scaler.fitTransform(x, { out: x })).toThrow(new RangeError(message));
            expect(x[23]).toBe(odd);
          }
          expect(JSON.stringify(scaler)).toBe(before);
        }
      },
    );

    test("the feature of an infinity is named in planes too", () => {
      const x = new Float32Array(30);
      x[22] = Number.NEGATIVE_INFINITY;
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        expect(() => new Scaler(3, { axis: 1 }).fit(x, { shape: [2, 3, 5] })).toThrow(
          "x: expected finite values or NaN, got -Infinity in feature 1",
        );
      }
    });

    test("what is infinite passes through the transform", () => {
      const x = Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN);
      expect(new StandardScaler(1).fit(Float32Array.of(1, 2, 4)).transform(x)).toEqual(x);
      const minmax = (clip: boolean) => new MinMaxScaler(1, { clip }).fit(Float32Array.of(1, 2, 4));
      expect(minmax(false).transform(x)).toEqual(x);
      expect(minmax(true).transform(x)).toEqual(Float32Array.of(1, 0, Number.NaN));
    });
  });

  describe("parts", () => {
    /** Rows of 3 features, of which one has a large mean, one holes and one a constant. */
    const rows = fc.array(
      fc.tuple(
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: Number.NaN }),
      ),
      { minLength: 1, maxLength: 60 },
    );
    const cut = fc.tuple(
      rows,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 60, maxLength: 60 }),
      fc.boolean(),
    );

    function parts(samples: [number, number][], lengths: number[], backwards: boolean) {
      const x = Float32Array.from(samples.flatMap(([a, b]) => [1000 + a, b, 7]));
      const pieces: Float32Array[] = [];
      for (let i = 0, k = 0; i < samples.length; i += lengths[k++]) {
        pieces.push(x.slice(3 * i, 3 * (i + lengths[k])));
      }
      return { x, pieces: backwards ? pieces.reverse() : pieces };
    }

    // Within what statistics are promised to, twice: for the parts and for the whole.
    function alike(a: StandardScaler, b: StandardScaler): void {
      expect(a.count).toEqual(b.count);
      for (let j = 0; j < 3; j++) {
        const [v, w] = [a.variance?.[j] ?? 0, b.variance?.[j] ?? 0];
        const [m, n] = [a.mean?.[j] ?? 0, b.mean?.[j] ?? 0];
        if (Number.isNaN(n)) expect(m).toBeNaN();
        else expect(Math.abs(m - n)).toBeLessThanOrEqual(2 * ulp(Math.max(Math.abs(n), Math.sqrt(w))));
        // Parts of one or two values each are merged in float64, at 2⁻⁵⁰ of the squared mean at most.
        if (Number.isNaN(w)) expect(v).toBeNaN();
        else expect(Math.abs(v - w)).toBeLessThanOrEqual(1e-6 * w + 2 ** -50 * n * n);
      }
    }

    test("partial fits, merges and JSON give the fit of the whole, in any order", () => {
      fc.assert(
        fc.property(cut, ([samples, lengths, backwards]) => {
          const { x, pieces } = parts(samples, lengths, backwards);
          const whole = { standard: new StandardScaler(3).fit(x), minmax: new MinMaxScaler(3).fit(x) };
          const partial = { standard: new StandardScaler(3), minmax: new MinMaxScaler(3) };
          const merged = { standard: new StandardScaler(3), minmax: new MinMaxScaler(3) };
          for (const piece of pieces) {
            expect(partial.standard.partialFit(piece)).toBe(partial.standard);
            partial.minmax.partialFit(piece);
            const standard = JSON.stringify(new StandardScaler(3).fit(piece));
            const minmax = JSON.stringify(new MinMaxScaler(3).fit(piece));
            merged.standard.merge(StandardScaler.fromJSON(JSON.parse(standard)));
            merged.minmax.merge(MinMaxScaler.fromJSON(JSON.parse(minmax)));
          }
          alike(partial.standard, whole.standard);
          expect(merged.standard.toJSON()).toEqual(partial.standard.toJSON());
          expect(partial.minmax.toJSON()).toEqual(whole.minmax.toJSON());
          expect(merged.minmax.toJSON()).toEqual(whole.minmax.toJSON());
        }),
        seeded,
      );
    });

    test("fit forgets what was fitted before", () => {
      const a = Float32Array.of(1, 2, 3);
      const b = Float32Array.of(10, 30);
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const again = new Scaler(1).fit(a);
        again.transform(a);
        expect(again.fit(b)).toBe(again);
        expect(again.toJSON()).toEqual(new Scaler(1).fit(b).toJSON());
        expect(again.transform(a)).toEqual(new Scaler(1).fit(b).transform(a));
      }
    });

    test("a fit of both kinds of data is one of float64, in any order", () => {
      const [singles, rows] = [Float32Array.of(4), [[1], [2], [3]]];
      const fresh = () => new MinMaxScaler(1);
      for (const scaler of [
        fresh().partialFit(rows).partialFit(singles),
        fresh().partialFit(singles).partialFit(rows),
        fresh().fit(rows).merge(fresh().fit(singles)),
        fresh().fit(singles).merge(fresh().fit(rows)),
      ]) {
        expect(scaler.toJSON().precision).toBe("float64");
      }
    });

    test("a merge with one that saw nothing changes nothing", () => {
      const x = Float32Array.of(1, 2, 3);
      const standard = new StandardScaler(1).fit(x);
      expect(standard.merge(new StandardScaler(1)).toJSON()).toEqual(new StandardScaler(1).fit(x).toJSON());
      expect(new StandardScaler(1).merge(standard).toJSON()).toEqual(standard.toJSON());
      const minmax = new MinMaxScaler(1).fit(x);
      expect(new MinMaxScaler(1).merge(minmax.merge(new MinMaxScaler(1))).toJSON()).toEqual(minmax.toJSON());
    });
  });

  describe("min-max", () => {
    /** Any float32 number, small and large alike. */
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    const ends = fc.oneof(
      fc.constantFrom(...RANGES, [-1, 1e-9], [0, 1e-42], [-3e38, 3e38], [0, 1e-30], [1000, 1000.01]),
      fc.tuple(float, float),
    );

    test("minimum and maximum land exactly on the ends, for any data and range", () => {
      fc.assert(
        fc.property(fc.array(float, { minLength: 2, maxLength: 40 }), ends, (values, [a, b]) => {
          fc.pre(a !== b);
          const range: [number, number] = [Math.min(a, b), Math.max(a, b)];
          const [low, high] = range.map(Math.fround);
          // Again and again, because few values run in float64 on either backend.
          const x = Float32Array.from({ length: 160 }, (_, i) => values[i % values.length]);
          const [min, max] = [Math.min(...x), Math.max(...x)];
          const y = new MinMaxScaler(1, { range }).fitTransform(x);
          const constant = max - min < 10 * 2 ** -23;
          for (let i = 0; i < x.length; i++) {
            if (y[i] >= low && y[i] <= high) {
              if (x[i] === min && y[i] === low) continue;
              if (x[i] === max && (y[i] === high || constant)) continue;
              if (x[i] !== min && x[i] !== max) continue;
            }
            expect.fail(`${x[i]} of ${min} … ${max} became ${y[i]} of ${low} … ${high}`);
          }
        }),
        { ...seeded, numRuns: 3000 },
      );
    });

    test("ordinary data, a thousand features at a time", () => {
      for (const range of RANGES) {
        for (const [mean, width] of [
          [0, 1],
          [10, 1],
          [1e6, 100],
          [-300, 0.01],
        ]) {
          const random = uniform(mean + 9);
          const x = Float32Array.from({ length: 5000 }, () => mean + width * random());
          checkMinMax(x, { outer: 5, features: 1000, inner: 1 }, range);
        }
      }
    });

    // In steps in float32 it is the extrema in float32 that meet the ends; in float64 they are the extrema themselves.
    test.runIf(name === "wasm")("fitted to float64, the same data in float32 land on the ends, too", () => {
      const random = uniform(8);
      const features = 200;
      // The values of every tenth feature are one number of float32.
      const apart = (j: number) => (j % 10 === 9 ? 1e-9 : 0.7);
      const rows = Array.from({ length: 20 }, () =>
        Array.from({ length: features }, (_, j) => 0.5 + j + apart(j) * random()),
      );
      const x = Float32Array.from(rows.flat());
      for (const range of RANGES) {
        const [low, high] = range.map(Math.fround);
        const y = new MinMaxScaler(features, { range }).fit(rows).transform(x);
        for (let j = 0; j < features; j++) {
          const found = rows.map((_, i) => y[i * features + j]);
          const ends = [Math.min(...found), Math.max(...found)];
          if (apart(j) === 0.7) expect([j, ...ends]).toEqual([j, low, high]);
          else expect([j, ends[0] >= low, ends[1] <= high]).toEqual([j, true, true]);
        }
      }
    });

    test("float32 and float64 in turn are mapped by lines of their own", () => {
      const random = uniform(9);
      const rows = Array.from({ length: 20 }, () => Array.from({ length: 50 }, () => 100 + random()));
      const fitted = () => new MinMaxScaler({ range: [-1, 1] }).fit(rows);
      const scaler = fitted();
      const singles = Float32Array.from(rows.flat());
      for (const x of [singles, rows, singles, rows]) {
        expect(scaler.transform(x)).toEqual(fitted().transform(x));
      }
    });

    test("clip keeps other data within the range, and NaN", () => {
      const x = Float32Array.of(-5, 1, 2, 3, 50, Number.NaN);
      const fitted = (clip: boolean) => new MinMaxScaler(1, { range: [-1, 1], clip }).fit(x.subarray(1, 4));
      expect(fitted(true).transform(x)).toEqual(Float32Array.of(-1, -1, 0, 1, 1, Number.NaN));
      expect(fitted(false).transform(x)).toEqual(Float32Array.of(-7, -1, 0, 1, 48, Number.NaN));
      expect(fitted(true).inverseTransform(Float32Array.of(-7))).toEqual(Float32Array.of(-5));
    });
  });

  describe("data", () => {
    test("tensors give tensors, in place too", () => {
      const x = make({ outer: 40, features: 6, inner: 1 }, "N(0, 1)");
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const y = new Scaler(6).fitTransform(x);
        const tensor = new Tensor([40, 6], x);
        const scaler = new Scaler(6);
        const result = scaler.fitTransform(tensor);
        expect(result.data).toEqual(y);
        expect(result.shape).toEqual([40, 6]);
        expect(scaler.transform(tensor, { out: tensor })).toBe(tensor);
        expect(tensor.data).toEqual(y);
        result.dispose();
        tensor.dispose();
      }
    });

    test("in place, at every 4-byte offset, the same bits, and nothing else is touched", () => {
      for (const sizes of [
        { outer: 70, features: 33, inner: 1 },
        { outer: 200, features: 3, inner: 1 },
        { outer: 5, features: 3, inner: 49 },
      ]) {
        const { axis, shape } = seen(sizes);
        const x = withHoles(make(sizes, "N(0, 1)"), 0.1);
        for (const Scaler of [StandardScaler, MinMaxScaler]) {
          const expected = new Scaler(sizes.features, { axis }).fitTransform(x, { shape });
          for (let offset = 0; offset < 8; offset++) {
            const whole = new Float32Array(x.length + 16).fill(12345);
            const view = whole.subarray(offset, offset + x.length);
            view.set(x);
            const scaler = new Scaler(sizes.features, { axis });
            expect(scaler.fitTransform(view, { shape, out: view })).toBe(view);
            expect(view).toEqual(expected);
            expect(scaler.transform(x, { shape, out: view })).toBe(view);
            expect(view).toEqual(expected);
            expect(whole.filter((value) => value === 12345).length).toBe(16);
          }
        }
      }
    });

    test("x is not modified, and no values transform to none", () => {
      const x = make({ outer: 9, features: 2, inner: 1 }, "N(0, 1)");
      const copy = x.slice();
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const scaler = new Scaler(2).fit(x);
        scaler.inverseTransform(scaler.transform(x));
        expect(x).toEqual(copy);
        expect(scaler.transform(new Float32Array(0))).toEqual(new Float32Array(0));
      }
    });
  });

  test("fitting and transforming in turn takes no more memory each time", () => {
    const x = make({ outer: 8, features: 1000, inner: 1 }, "N(0, 1)");
    const out = new Float32Array(x.length);
    const probe = new Tensor([1]);
    const size = () => probe.data.buffer.byteLength;
    for (const Scaler of [StandardScaler, MinMaxScaler]) {
      const scaler = new Scaler(1000);
      const turn = () => {
        scaler.partialFit(x).transform(x, { out });
        scaler.inverseTransform(out, { out });
      };
      turn();
      const before = size();
      // A table has 12 kB.
      for (let i = 0; i < 300; i++) turn();
      expect(size()).toBe(before);
    }
    probe.dispose();
  });

  describe("JSON", () => {
    test("is the whole state, exact, before and after fitting", () => {
      const x = withHoles(make({ outer: 31, features: 5, inner: 1 }, "heavy tails"), 0.4);
      x.fill(Number.NaN, 0, 2);
      for (const scaler of [
        new StandardScaler(5, { axis: 1, withMean: false }),
        new StandardScaler(5, { withStd: false }).fit(x),
        new StandardScaler(5).fit(x),
      ]) {
        const copy = StandardScaler.fromJSON(JSON.parse(JSON.stringify(scaler)));
        expect(copy.toJSON()).toEqual(scaler.toJSON());
        expect([copy.axis, copy.withMean, copy.withStd]).toEqual([
          scaler.axis,
          scaler.withMean,
          scaler.withStd,
        ]);
        if (scaler.count !== undefined) expect(copy.transform(x)).toEqual(scaler.transform(x));
      }
      for (const scaler of [
        new MinMaxScaler(5, { axis: 1, range: [-1, 0.1], clip: true }),
        new MinMaxScaler(5).fit(x),
      ]) {
        const copy = MinMaxScaler.fromJSON(JSON.parse(JSON.stringify(scaler)));
        expect(copy.toJSON()).toEqual(scaler.toJSON());
        expect([copy.axis, copy.range, copy.clip]).toEqual([scaler.axis, scaler.range, scaler.clip]);
        if (scaler.count !== undefined) expect(copy.transform(x)).toEqual(scaler.transform(x));
      }
    });

    test("what is not a scaler's is refused", () => {
      const standard = new StandardScaler(2).fit(Float32Array.of(1, 2)).toJSON();
      const moments = standard.moments;
      if (moments === null) throw new Error("expected a fitted scaler");
      const minmax = new MinMaxScaler(2).fit(Float32Array.of(1, 2)).toJSON();
      const { extrema } = minmax;
      if (extrema === null) throw new Error("expected a fitted scaler");
      for (const wrong of [
        { ...standard, features: 3 },
        { ...standard, moments: { ...moments, count: [1, -1] } },
        { ...standard, moments: { ...moments, m2: [1, -1] } },
        { ...standard, moments: { ...moments, mean: [1] } },
        { ...standard, moments: { ...moments, axis: 0 } },
        { ...standard, moments: { ...moments, features: null, count: 0, mean: [], m2: [] } },
      ]) {
        expect(() => StandardScaler.fromJSON(wrong)).toThrow(RangeError);
      }
      for (const wrong of [
        { ...minmax, features: 3 },
        { ...minmax, range: [1, 1] as [number, number] },
        { ...minmax, extrema: { ...extrema, max: ["Infinity" as const, 1] } },
        { ...minmax, extrema: { ...extrema, axis: 1 } },
        { ...minmax, extrema: { ...extrema, features: null, count: 0, min: [], max: [] } },
      ]) {
        expect(() => MinMaxScaler.fromJSON(wrong)).toThrow(RangeError);
      }
    });
  });

  test("values so far apart that float64 does not hold their variance or range are refused", () => {
    const far = (size: number) =>
      Float64Array.from({ length: 10_000 }, (_, i) => (i % 2 === 0 ? -size : size));
    const standard = new StandardScaler(1).fit(far(1));
    const range = new MinMaxScaler(1).fit(far(1));
    const before = JSON.stringify([standard, range]);
    const held = "x: expected values whose spread float64 holds, got others in feature 0";
    for (const fit of ["fit", "partialFit", "fitTransform"] as const) {
      expect(() => standard[fit](far(1e153))).toThrow(held);
      expect(() => range[fit](far(1e308))).toThrow(held);
    }
    // Rows too many for the sum to stay infinite, and parts that are held each.
    for (const rows of [3, 16, 17, 200]) {
      const x = Float64Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? -1e160 : 1e160));
      expect(() => standard.fit(x)).toThrow(held);
      expect(() => standard.fit(Array.from(x, (value) => [value]))).toThrow(held);
    }
    const apart = [
      [new StandardScaler(1), 1e200],
      [new MinMaxScaler(1), 1.5e308],
    ] as const;
    for (const [scaler, size] of apart) {
      const one = Float64Array.of(size, size);
      const other = Float64Array.of(-size, -size);
      scaler.fit(one);
      const state = JSON.stringify(scaler);
      expect(() => scaler.partialFit(other)).toThrow(held);
      const copy = Reflect.construct(scaler.constructor, [1]).fit(other);
      expect(() => Reflect.apply(scaler.merge, scaler, [copy])).toThrow(held.replace("x:", "other:"));
      expect(JSON.stringify(scaler)).toBe(state);
    }
    expect(JSON.stringify([standard, range])).toBe(before);
    // A scale that small has fewer digits.
    const [low, high] = range.fitTransform(far(8e307));
    expect(low).toBe(0);
    expect(high).toBeLessThanOrEqual(1);
    expect(high).toBeGreaterThanOrEqual(1 - 2 ** -50);
    expect(new StandardScaler(1, { withStd: false }).fitTransform(far(1e153))[1]).toBe(1e153);
  });

  test("−0 in a range is 0, also after JSON", () => {
    const scaler = new MinMaxScaler(1, { range: [-0, 1] }).fit(Float32Array.of(1, 2));
    const copy = MinMaxScaler.fromJSON(JSON.parse(JSON.stringify(scaler)));
    expect(scaler.merge(copy).range).toEqual([0, 1]);
    const negative = new StandardScaler(2, { axis: -0 });
    expect(negative.axis).toBe(0);
  });

  describe("errors", () => {
    test("say what was expected, and leave what was fitted", () => {
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const scaler = new Scaler(2).fit(Float32Array.of(1, 2, 3, 5));
        const before = JSON.stringify(scaler);
        for (const fit of [
          (x: Float32Array | number[][]) => scaler.fit(x),
          (x: Float32Array | number[][]) => scaler.partialFit(x),
          (x: Float32Array | number[][]) => scaler.fitTransform(x),
        ]) {
          expect(() => fit(new Float32Array(0))).toThrow(
            "x: expected at least one value per feature, got none",
          );
          expect(() => fit([])).toThrow(RangeError);
          expect(() => fit(new Float32Array(3))).toThrow(
            "x: expected a length that is a multiple of features = 2, got 3",
          );
          expect(() => fit([[1, 2], [3]])).toThrow(
            "x[1]: expected an array of features = 2 numbers, got length 1",
          );
        }
        expect(() => scaler.fitTransform(new Float32Array(4), { out: new Float32Array(2) })).toThrow(
          RangeError,
        );
        expect(() => scaler.transform(new Float32Array(4), { out: new Float32Array(2) })).toThrow(RangeError);
        expect(() => new Scaler(2, { axis: 1 }).fit(new Float32Array(2))).toThrow(TypeError);
        const unfitted = new TypeError(
          "scaler: expected a fitted one, got one that has seen no data (call fit first)",
        );
        expect(() => new Scaler(2).transform(new Float32Array(2))).toThrow(unfitted);
        expect(() => new Scaler(2).inverseTransform(new Float32Array(2))).toThrow(unfitted);
        expect(JSON.stringify(scaler)).toBe(before);
      }
      expect(() => new StandardScaler(2).merge(new StandardScaler(3))).toThrow(
        "other: expected features = 2, got 3",
      );
      expect(() => new MinMaxScaler(2).merge(new MinMaxScaler(3))).toThrow(RangeError);
      expect(() => new StandardScaler(2).merge(new StandardScaler(2, { withMean: false }))).toThrow(
        "other: expected withMean = true, got false",
      );
      expect(() => new MinMaxScaler(2).merge(new MinMaxScaler(2, { range: [-1, 1] }))).toThrow(
        "other: expected range = [0, 1], got [-1, 1]",
      );
      for (const range of [
        [1, 1],
        [1, 0],
        [1, 1 + 1e-12],
        [0, 1e39],
        [Number.NaN, 1],
      ] as [number, number][]) {
        expect(() => new MinMaxScaler(2, { range })).toThrow(
          "range: expected [low, high], two float32 numbers with low < high",
        );
      }
    });
  });
});
