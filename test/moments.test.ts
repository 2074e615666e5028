// Moments of parts are the moments of the whole.

import * as fc from "fast-check";
import { Extrema, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { kinds, make } from "./data.js";
import { type Exact, exactly } from "./exact.js";
import { expectError } from "./expect-error.js";
import { references } from "./nist.js";
import { moments, type Sizes, worst } from "./reference.js";

const sizes = { outer: 500, features: 3, inner: 1 };

/** The promise: mean within 10⁻¹² of the largest value, variance within 10⁻¹² of itself, count exact. */
function checkPromise({ count, mean, variance }: Moments, exact: readonly Exact[], about: string): void {
  const counts = exact.map((one) => one.count);
  expect(
    Array.from(mean, (_, j) => (typeof count === "number" ? count : count[j])),
    about,
  ).toEqual(counts);
  const means = exact.map((one) => one.mean);
  expect(worst(mean, means, (_, j) => 1e-12 * exact[j].largest).ratio, about).toBeLessThanOrEqual(1);
  const variances = exact.map((one) => one.variance);
  expect(worst(variance, variances, (v) => 1e-12 * v).ratio, about).toBeLessThanOrEqual(1);
}

interface Variant {
  values: Float32Array | Float64Array;
  exact: Exact[];
  holed: boolean;
}

const known = new Map<string, Variant[]>();

/** Data of a kind as float32, as float64 and with NaN, and what is exact about them: made once for both backends. */
function variants(kind: string, sizes: Sizes): Variant[] {
  const key = kind + JSON.stringify(sizes);
  const found = known.get(key);
  if (found !== undefined) return found;
  const x = make(sizes, kind);
  const made = [
    x,
    Float64Array.from(x, (value) => value * (1 + 2 ** -40)),
    x.map((value, i) => ((i * 7) % 11 === 3 ? Number.NaN : value)),
  ].map((values, i) => ({ values, exact: exactly(values, sizes), holed: i === 2 }));
  known.set(key, made);
  return made;
}

onBothBackends(() => {
  describe("float64 in truth", () => {
    test.each(references)("NIST: $name", ({ name, values, mean, deviation }) => {
      for (const copies of [1, 3]) {
        const rows = values.flatMap((value) => new Array<number>(copies).fill(value));
        for (const x of [Float32Array.from(rows), Float64Array.from(rows)]) {
          const exact = exactly(x, { outer: values.length, features: copies, inner: 1 });
          checkPromise(new Moments(copies).add(x), exact, name);
          checkPromise(new Moments(copies, { nan: "ignore" }).add(x), exact, name);
          const plane = Float64Array.from(values);
          const columns = new Moments(1, { axis: 0 }).add(plane, { shape: [1, values.length] });
          checkPromise(columns, [exactly(plane, { outer: 1, features: 1, inner: values.length })[0]], name);
        }
        // What the values mean in decimals: as far as float64 holds these.
        const found = new Moments(copies).add(Float64Array.from(rows));
        const n = values.length;
        const rounding = (2 ** -53 * Math.abs(mean)) / deviation;
        const std = Math.sqrt((found.variance[0] * n) / (n - 1));
        expect(Math.abs(found.mean[0] / mean - 1)).toBeLessThanOrEqual(1e-14);
        expect(Math.abs(std / deviation - 1)).toBeLessThanOrEqual(1e-14 + 2 * rounding);
      }
    });

    // Blocks, chunks and strips of every way to walk.
    const SHAPES: Sizes[] = [
      { outer: 5, features: 3, inner: 1 },
      { outer: 70, features: 33, inner: 1 },
      { outer: 2900, features: 3, inner: 1 },
      { outer: 800, features: 64, inner: 1 },
      { outer: 10, features: 5000, inner: 1 },
      { outer: 100, features: 3, inner: 4 },
      { outer: 3, features: 5, inner: 1025 },
      { outer: 2, features: 1, inner: 50_003 },
    ];
    test.each(Object.keys(kinds))("%s, with and without NaN", (kind) => {
      for (const sizes of SHAPES) {
        const shape = [sizes.outer, sizes.features, sizes.inner];
        for (const { values, exact, holed } of variants(kind, sizes)) {
          const about = `${kind} ${shape}`;
          const ignoring = () => new Moments(sizes.features, { axis: 1, nan: "ignore" });
          checkPromise(ignoring().add(values, { shape }), exact, about);
          if (!holed)
            checkPromise(new Moments(sizes.features, { axis: 1 }).add(values, { shape }), exact, about);
          if (!(values instanceof Float32Array)) continue;
          using tensor = new Tensor(shape, values);
          checkPromise(ignoring().add(tensor), exact, `${about}, resident`);
        }
      }
    });

    test("a constant has a variance of exactly 0", () => {
      for (const value of [0.1, 1e-30, 3.3e38, -7.7]) {
        for (const sizes of SHAPES) {
          const shape = [sizes.outer, sizes.features, sizes.inner];
          const x = new Float64Array(sizes.outer * sizes.features * sizes.inner).fill(value);
          for (const values of [x, Float32Array.from(x)]) {
            const { mean, variance } = new Moments(sizes.features, { axis: 1 }).add(values, { shape });
            expect(mean.every((m) => m === values[0])).toBe(true);
            expect(variance.every((v) => v === 0)).toBe(true);
          }
        }
      }
    });

    test("an infinity anywhere is its feature's mean, and leaves the others alone", () => {
      for (const sizes of SHAPES.slice(0, 7)) {
        const shape = [sizes.outer, sizes.features, sizes.inner];
        const x = make(sizes, "N(0, 1)");
        for (const at of [0, 1, 5, x.length >> 1, x.length - 1]) {
          const values = x.slice();
          values[at] = Number.POSITIVE_INFINITY;
          const odd = Math.floor(at / sizes.inner) % sizes.features;
          for (const nan of ["propagate", "ignore"] as const) {
            for (const given of [values, Float64Array.from(values)]) {
              const { mean, variance } = new Moments(sizes.features, { axis: 1, nan }).add(given, { shape });
              expect([mean[odd], variance[odd]], `${shape} at ${at}`).toEqual([values[at], Number.NaN]);
              expect(mean.filter(Number.isFinite)).toHaveLength(sizes.features - 1);
            }
          }
        }
      }
    });
  });

  test("any split, in any grouping, gives the statistics of the whole", () => {
    const x = make(sizes, "mean 1e4, std 1");
    const whole = moments(x, sizes);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 6 }),
        fc.boolean(),
        (cuts, tree) => {
          const rows = [0, ...cuts.sort((a, b) => a - b), 500];
          const parts = rows.slice(1).map((end, i) => x.subarray(3 * rows[i], 3 * end));
          const merged = tree
            ? parts.map((part) => new Moments(3).add(part)).reduceRight((right, left) => left.merge(right))
            : parts.reduce((all, part) => all.add(part), new Moments(3));
          expect(merged.count).toBe(500);
          for (let j = 0; j < 3; j++) {
            // A merge rounds means to 2⁻⁵³ of 10⁴, to which the variance of parts is not blind.
            expect(Math.abs(merged.mean[j] - whole.mean[j])).toBeLessThanOrEqual(1e-11);
            expect(Math.abs(merged.variance[j] / whole.variance[j] - 1)).toBeLessThanOrEqual(1e-11);
          }
        },
      ),
      { seed: 20, numRuns: 200 },
    );
  });

  test("JSON is exact, also for what JSON has no numbers for", () => {
    const odd = new Moments(4).add(Float32Array.of(1.1, Number.NaN, Infinity, 0, 2.3, 1, 1, -0));
    // Beyond 2⁵³.
    const many = new Moments(1).add(Float32Array.of(1, 2));
    for (let doubled = 0; doubled < 60; doubled++) many.merge(many);
    expect(Moments.fromJSON(JSON.parse(JSON.stringify(many))).count).toBe(2 ** 61);
    const back = Moments.fromJSON(JSON.parse(JSON.stringify(odd)));
    expect(back.toJSON()).toEqual(odd.toJSON());
    expect(back.mean).toEqual(odd.mean);
    expect(back.variance).toEqual(odd.variance);
    expect(back.count).toBe(2);
  });

  test("JSON that toJSON did not return is refused", () => {
    const json = new Moments(2).add(Float32Array.of(1, Number.NaN, 3, 4)).toJSON();
    const fromJSON = (value: unknown) => () => Reflect.apply(Moments.fromJSON, Moments, [value]);
    for (const field of Object.keys(json)) {
      const { [field]: _, ...rest }: Record<string, unknown> = { ...json };
      expectError(fromJSON(rest), TypeError, `${field}: expected`);
    }
    for (const below of [-1e-300, "-Infinity"]) {
      const expected = "m2[1]: expected a non-negative number or NaN, got";
      expectError(fromJSON({ ...json, m2: [1, below] }), RangeError, expected);
    }
    expectError(fromJSON({ ...json, count: 0.5 }), RangeError, "count: expected a non-negative integer");
    expectError(fromJSON({ ...json, count: Infinity }), RangeError, "count: expected a non-negative integer");
    // No memory is taken for what the lists do not have.
    expectError(fromJSON({ ...json, features: 2 ** 28 }), RangeError, "mean: expected an array of 268435456");
    expect(Moments.fromJSON({ ...json, m2: ["NaN", "Infinity"] }).variance).toEqual(
      Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY),
    );
  });

  test("merging changes neither the other nor earlier results", () => {
    const a = new Moments(2).add(Float32Array.of(1, 2, 3, 4));
    const b = new Moments(2).add(Float32Array.of(5, 6));
    const before = [a.mean, JSON.stringify(b)];
    const { mean } = a;
    a.merge(b).merge(a);
    expect(a.count).toBe(6);
    expect(a.mean).toEqual(Float64Array.of(3, 4));
    expect(a.variance).toEqual(Float64Array.of(8 / 3, 8 / 3));
    expect([mean, JSON.stringify(b)]).toEqual(before);
  });

  describe("NaN", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

    /** Some of the values missing: none in feature 0, some in feature 1, all in feature 2. */
    function holed(outer: number, seed = 1): Float32Array {
      const x = make({ outer, features: 3, inner: 1 }, "mean 1e4, std 1", seed);
      for (let row = 0; row < outer; row++) {
        if (row % 3 === 1) x[3 * row + 1] = nan;
        x[3 * row + 2] = nan;
      }
      return x;
    }

    /** The moments of what is present; in parts, whose merge rounds means of 10⁴, within 10⁻¹¹. */
    function checkPresent(found: Moments, x: Float32Array): void {
      const exact = exactly(x, { outer: x.length / 3, features: 3, inner: 1 });
      expect(found.count).toEqual(Float64Array.from(exact, ({ count }) => count));
      const means = exact.map(({ mean }) => mean);
      expect(worst(found.mean, means, (m) => 1e-12 * Math.abs(m)).ratio).toBeLessThanOrEqual(1);
      const variances = exact.map(({ variance }) => variance);
      expect(worst(found.variance, variances, (v) => 1e-11 * v).ratio).toBeLessThanOrEqual(1);
    }

    test("propagates by default, into its own feature, and is counted", () => {
      for (const found of [
        new Moments(3).add(holed(100)),
        new Moments(3, { nan: "propagate" }).add(holed(40)).merge(new Moments(3).add(holed(60, 2))),
      ]) {
        expect(found.nan).toBe("propagate");
        expect(found.count).toBe(100);
        expect(Array.from(found.mean, Number.isNaN)).toEqual([false, true, true]);
        expect(Array.from(found.variance, Number.isNaN)).toEqual([false, true, true]);
        const back = Moments.fromJSON(JSON.parse(JSON.stringify(found)));
        expect([back.nan, back.count, back.mean]).toEqual(["propagate", 100, found.mean]);
      }
    });

    // In JavaScript on either backend, and beyond it.
    test.each([5, 40, 1000])("is ignored where it should be: %i rows", (outer) => {
      const x = holed(outer);
      const ignoring = () => new Moments(3, { nan: "ignore" });
      const whole = ignoring().add(x);
      checkPresent(whole, x);
      using tensor = new Tensor([outer, 3], x);
      checkPresent(ignoring().add(tensor), x);
      // Rows that have no NaN, then the others, in calls, merged either way, and through JSON.
      const cut = 3 * (outer >> 1);
      const [left, right] = [x.subarray(0, cut), x.subarray(cut)];
      checkPresent(ignoring().add(left).add(right), x);
      checkPresent(ignoring().merge(ignoring().add(left)).merge(ignoring().add(right)), x);
      const saved = JSON.parse(JSON.stringify(ignoring().add(right)));
      expect(saved.nan).toBe("ignore");
      checkPresent(Moments.fromJSON(saved).add(left), x);
      expect(Moments.fromJSON(JSON.parse(JSON.stringify(whole))).toJSON()).toEqual(whole.toJSON());
    });

    test("of planes, NaN is ignored in its own channel", () => {
      for (const inner of [3, 60]) {
        const sizes = { outer: 70, features: 3, inner };
        const x = make(sizes, "N(0, 1)");
        for (let i = 0; i < x.length; i += 4 * inner) x[i] = nan;
        const found = new Moments(3, { axis: 1, nan: "ignore" }).add(x, { shape: [70, 3, inner] });
        checkPromise(found, exactly(x, sizes), `planes of ${inner}`);
      }
    });

    test("nothing present: count 0, and NaN, until there is something", () => {
      const found = new Moments(2, { nan: "ignore" }).add(Float32Array.of(nan, 1, nan, 3));
      expect([found.count, found.mean, found.variance]).toEqual([
        Float64Array.of(0, 2),
        Float64Array.of(nan, 2),
        Float64Array.of(nan, 1),
      ]);
      found.merge(new Moments(2, { nan: "ignore" }).add(Float32Array.of(5, nan)));
      expect([found.count, found.mean, found.variance]).toEqual([
        Float64Array.of(1, 2),
        Float64Array.of(5, 2),
        Float64Array.of(0, 1),
      ]);
      // As many in each again: one number.
      expect(found.add(Float32Array.of(7, nan)).count).toBe(2);
    });

    test("an infinity is a value, not a gap", () => {
      const found = new Moments(2, { nan: "ignore" }).add(Float32Array.of(infinity, nan, 1, -infinity));
      expect([found.count, found.mean]).toEqual([
        Float64Array.of(2, 1),
        Float64Array.of(infinity, -infinity),
      ]);
    });

    test("both kinds do not merge", () => {
      const ignoring = new Moments(1, { nan: "ignore" });
      const propagating = new Moments(1);
      expect(() => propagating.merge(ignoring)).toThrow(RangeError);
      expect(() => ignoring.merge(propagating)).toThrow(RangeError);
      expect(() => Reflect.construct(Moments, [1, { nan: "skip" }])).toThrow(
        new RangeError('nan: expected "propagate" or "ignore", got skip'),
      );
    });
  });

  describe("count", () => {
    test("what is present is counted, also in Extrema and in scalers, and by Moments what propagates", () => {
      for (const outer of [4, 300]) {
        const x = make({ outer, features: 2, inner: 1 }, "N(0, 1)");
        for (let row = 0; row < outer; row += 4) x[2 * row + 1] = Number.NaN;
        const present = Float64Array.of(outer, outer - outer / 4);
        const nothing = new Float32Array(0);
        expect(new Moments(2).add(x).add(nothing).count).toBe(outer);
        for (const { count } of [
          new Moments(2, { nan: "ignore" }).add(x).add(nothing),
          new Extrema(2).add(x).add(nothing),
          new StandardScaler(2).fit(x),
          new MinMaxScaler(2).fit(x),
        ]) {
          expect(count).toEqual(present);
        }
        for (const { count } of [
          new Extrema(2).add(x).merge(new Extrema(2).add(x)),
          new StandardScaler(2).partialFit(x).partialFit(x),
          new MinMaxScaler(2).fit(x).merge(new MinMaxScaler(2).fit(x)),
        ]) {
          expect(count).toEqual(present.map((n) => 2 * n));
        }
      }
    });

    test("is a copy", () => {
      const found = new Moments(2, { nan: "ignore" }).add(Float32Array.of(1, Number.NaN));
      const { count } = found;
      if (typeof count === "number") throw new Error("expected a count per feature");
      count.fill(9);
      expect(found.count).toEqual(Float64Array.of(1, 0));
    });
  });

  describe("edges", () => {
    test("before any data the statistics are NaN, and empty parts add nothing", () => {
      const empty = new Moments(2);
      expect([empty.count, empty.mean, empty.variance]).toEqual([
        0,
        Float64Array.of(Number.NaN, Number.NaN),
        Float64Array.of(Number.NaN, Number.NaN),
      ]);
      empty.add(new Float32Array(0)).merge(new Moments(2));
      expect(empty.count).toBe(0);
      expect(empty.add(Float32Array.of(1, 2)).mean).toEqual(Float64Array.of(1, 2));
      expect(empty.variance).toEqual(Float64Array.of(0, 0));
    });

    test("an infinity stays one, whatever is merged with it", () => {
      const infinite = () => new Moments(1).add(Float32Array.of(Infinity, 1));
      const finite = () => new Moments(1).add(Float32Array.of(2, 3));
      expect(finite().merge(infinite()).mean).toEqual(Float64Array.of(Infinity));
      expect(infinite().merge(finite()).mean).toEqual(Float64Array.of(Infinity));
    });

    test("a plane that is reduced in parts, of which the last is short, leaves the next plane alone", () => {
      // What the step before left in scratch memory is what would be merged.
      new Moments(4, { axis: 1 }).add(make({ outer: 2, features: 4, inner: 100 }, "mean 1e6, std 1"), {
        shape: [2, 4, 100],
      });
      const sizes = { outer: 2, features: 3, inner: 48 * 1024 + 100 };
      const x = make(sizes, "N(0, 1)");
      const found = new Moments(3, { axis: 1 }).add(x, { shape: [2, 3, sizes.inner] });
      checkPromise(found, exactly(x, sizes), "parts of planes");
    });

    test("a tensor is added as its shape says", () => {
      using x = new Tensor(
        [2, 3, 2],
        Float32Array.from({ length: 12 }, (_, i) => i),
      );
      expect(new Moments(3, { axis: 1 }).add(x).mean).toEqual(Float64Array.of(3.5, 5.5, 7.5));
    });
  });
});
