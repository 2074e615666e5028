// Moments of parts are the moments of the whole.

import * as fc from "fast-check";
import { Moments, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make } from "./data.js";
import { expectError } from "./expect-error.js";
import { moments } from "./reference.js";

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
