// Moments of parts are the moments of the whole.

import * as fc from "fast-check";
import { Extrema, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make } from "./data.js";
import { expectError } from "./expect-error.js";
import { moments, standard, worst } from "./reference.js";

const sizes = { outer: 500, features: 3, inner: 1 };

onBothBackends(() => {
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
            // A merge is float64; the parts' own sums are f32 with the stated bound.
            expect(Math.abs(merged.mean[j] - whole.mean[j])).toBeLessThanOrEqual(1e-7);
            expect(Math.abs(merged.variance[j] / whole.variance[j] - 1)).toBeLessThanOrEqual(5e-7);
          }
        },
      ),
      { seed: 20, numRuns: 200 },
    );
  });

  test("JSON is exact, also for what JSON has no numbers for", () => {
    const odd = new Moments(4).add(Float32Array.of(1.1, Number.NaN, Infinity, 0, 2.3, 1, 1, -0));
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

    /** The moments of what is present, within the bounds of all moments. */
    function checkPresent(found: Moments, x: Float32Array): void {
      const { count, mean, variance } = standard(x, { outer: x.length / 3, features: 3, inner: 1 });
      expect(found.count).toEqual(count);
      expect(worst(found.mean, mean, (m) => 2 ** -23 * Math.abs(m)).ratio).toBeLessThanOrEqual(1);
      expect(worst(found.variance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
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
        const { count, variance } = standard(x, sizes);
        const found = new Moments(3, { axis: 1, nan: "ignore" }).add(x, { shape: [70, 3, inner] });
        expect(found.count).toEqual(count);
        expect(worst(found.variance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
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
      const merged = new Moments(1)
        .add(Float32Array.of(1, 2))
        .merge(new Moments(1).add(Float32Array.of(Infinity, 1)));
      expect(merged.mean).toEqual(Float64Array.of(Infinity));
      expect(merged.variance).toEqual(Float64Array.of(Number.NaN));
    });

    test("a plane that is reduced in parts, of which the last is short, leaves the next plane alone", () => {
      // What the step before left in scratch memory is what would be merged.
      new Moments(4, { axis: 1 }).add(make({ outer: 2, features: 4, inner: 100 }, "mean 1e6, std 1"), {
        shape: [2, 4, 100],
      });
      const sizes = { outer: 2, features: 3, inner: 48 * 1024 + 100 };
      const x = make(sizes, "N(0, 1)");
      const exact = moments(x, sizes);
      const found = new Moments(3, { axis: 1 }).add(x, { shape: [2, 3, sizes.inner] });
      for (let j = 0; j < 3; j++) {
        expect(Math.abs(found.mean[j] - exact.mean[j])).toBeLessThanOrEqual(2 ** -23);
        expect(Math.abs(found.variance[j] / exact.variance[j] - 1)).toBeLessThanOrEqual(5e-7);
      }
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
