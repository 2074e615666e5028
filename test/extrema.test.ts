// Minimum and maximum: exact, so there is no tolerance.

import { Extrema, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, uniform } from "./data.js";
import { extrema, type Sizes, standard } from "./reference.js";

const FEATURES = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100];
const ROWS = [1, 2, 3, 4, 5, 7, 8, 31, 64, 257, 1000];
const PLANES = [2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 31, 49, 63, 64, 65, 196, 257, 784, 1025];

/** A fraction of the values becomes NaN. */
function withHoles(x: Float32Array, fraction: number, seed = 3): Float32Array {
  const random = uniform(seed);
  return x.map((value) => (random() < fraction ? Number.NaN : value));
}

/** A count as statistics show it: one number where all features have as many. */
function oneOrEach(count: Float64Array): number | Float64Array {
  return count.every((n) => n === count[0]) ? count[0] : count;
}

function check(x: Float32Array, sizes: Sizes): void {
  const shape = [sizes.outer, sizes.features, sizes.inner];
  const found = new Extrema(sizes.features, { axis: 1 }).add(x, { shape });
  const exact = extrema(x, sizes);
  const about = JSON.stringify(sizes);
  expect(found.min, about).toEqual(exact.min);
  expect(found.max, about).toEqual(exact.max);
  expect(found.count, about).toEqual(oneOrEach(standard(x, sizes).count));
}

onBothBackends(() => {
  test.each(FEATURES)("%i features last, every number of rows", (features) => {
    for (const outer of [...ROWS, Math.floor(120_000 / features)]) {
      const sizes = { outer, features, inner: 1 };
      const x = make(sizes, "N(0, 1)");
      check(x, sizes);
      check(withHoles(x, 0.3), sizes);
    }
  });

  test("more features than the scratch memory holds", () => {
    for (const sizes of [
      { outer: 13, features: 9001, inner: 1 },
      { outer: 3, features: 5000, inner: 4 },
    ]) {
      check(withHoles(make(sizes, "heavy tails"), 0.1), sizes);
    }
  });

  test.each(PLANES)("planes of %i", (inner) => {
    for (const [outer, features] of [
      [1, 1],
      [1, 5],
      [2, 3],
      [5, 33],
      [70, 3],
    ]) {
      const sizes = { outer, features, inner };
      const x = make(sizes, "N(0, 1)");
      check(x, sizes);
      check(withHoles(x, 0.3), sizes);
    }
  });

  test("a plane beyond the staging window", () => {
    const sizes = { outer: 2, features: 2, inner: 100_003 };
    check(withHoles(make(sizes, "N(0, 1)"), 0.1), sizes);
  });

  test("each place in turn holds the minimum, then the maximum, among NaN", () => {
    for (const sizes of [
      { outer: 1, features: 3, inner: 37 },
      { outer: 37, features: 3, inner: 1 },
      { outer: 330, features: 2, inner: 1 },
      { outer: 65, features: 2, inner: 3 },
    ]) {
      const x = new Float32Array(sizes.outer * sizes.features * sizes.inner).fill(Number.NaN);
      for (let i = 0; i < x.length; i++) {
        x[i] = i % 2 ? -2 : 3;
        check(x, sizes);
        x[i] = Number.NaN;
      }
    }
  });

  test("a view at every 4-byte offset, and nothing beside it is read or written", () => {
    for (const sizes of [
      { outer: 70, features: 33, inner: 1 },
      { outer: 257, features: 3, inner: 1 },
      { outer: 5, features: 3, inner: 49 },
    ]) {
      const x = withHoles(make(sizes, "N(0, 1)"), 0.1);
      for (let offset = 0; offset < 8; offset++) {
        const whole = new Float32Array(x.length + 16).fill(1e30);
        const view = whole.subarray(offset, offset + x.length);
        view.set(x);
        check(view, sizes);
        expect(view).toEqual(x);
      }
    }
  });

  test("tensors, where they stand", () => {
    for (const shape of [
      [1001, 3],
      [50, 64],
      [7, 100],
    ]) {
      const sizes = { outer: shape[0], features: shape[1], inner: 1 };
      const x = withHoles(make(sizes, "N(0, 1)"), 0.2);
      const tensor = new Tensor(shape, x);
      const found = new Extrema(shape[1]).add(tensor);
      expect({ min: found.min, max: found.max }).toEqual(extrema(x, sizes));
      tensor.dispose();
    }
  });

  test("infinities are values; −0 is 0", () => {
    const found = new Extrema(2).add(Float32Array.of(1, -0, Number.NEGATIVE_INFINITY, 0, Number.NaN, -0));
    expect(found.min).toEqual(Float64Array.of(Number.NEGATIVE_INFINITY, 0));
    expect(found.max).toEqual(Float64Array.of(1, 0));
  });

  describe("parts", () => {
    const sizes = { outer: 100, features: 3, inner: 1 };
    const x = withHoles(make(sizes, "heavy tails"), 0.2);
    const whole = new Extrema(3).add(x);

    test("in calls, merged, and through JSON, give the whole", () => {
      const calls = new Extrema(3);
      const merged = new Extrema(3);
      for (let row = 0; row < 100; row += 7) {
        const part = x.subarray(3 * row, 3 * (row + 7));
        calls.add(part);
        const text = JSON.stringify(new Extrema(3).add(part));
        expect(merged.merge(Extrema.fromJSON(JSON.parse(text)))).toBe(merged);
      }
      expect(calls.toJSON()).toEqual(whole.toJSON());
      expect(merged.toJSON()).toEqual(whole.toJSON());
    });

    test("nothing seen is NaN, and stays so through JSON", () => {
      const none = new Extrema(2).add(Float32Array.of(Number.NaN, 5));
      expect(none.min).toEqual(Float64Array.of(Number.NaN, 5));
      const copy = Extrema.fromJSON(JSON.parse(JSON.stringify(none)));
      expect(copy.max).toEqual(Float64Array.of(Number.NaN, 5));
      expect(new Extrema(1).min).toEqual(Float64Array.of(Number.NaN));
      expect(new Extrema(1).add(new Float32Array(0)).count).toBe(0);
    });
  });

  test("errors leave what was added", () => {
    const found = new Extrema(2).add(Float32Array.of(1, 2));
    const before = found.toJSON();
    expect(() => found.add(new Float32Array(3))).toThrow(RangeError);
    expect(() => found.merge(new Extrema(3))).toThrow("other: expected features = 2, got 3");
    expect(() => Extrema.fromJSON({ ...before, count: -1 })).toThrow(RangeError);
    expect(() => Extrema.fromJSON({ ...before, min: [] })).toThrow(RangeError);
    expect(() => found.merge(new Extrema(2, { axis: 1 }))).toThrow("other: expected axis = -1, got 1");
    for (const [min, max] of [
      ["NaN", "NaN"],
      [2, 1],
      ["Infinity", "-Infinity"],
    ] as const) {
      const json = { ...before, min: [min, 0], max: [max, 2] };
      expect(() => Extrema.fromJSON(json)).toThrow(/^json: expected min ≤ max, got min .* of feature 0$/);
    }
    expect(() => Extrema.fromJSON({ ...before, count: 0 })).toThrow(
      'json: expected "Infinity" and "-Infinity" for no values, got min 1 and max 1 of feature 0',
    );
    expect(found.toJSON()).toEqual(before);
  });
});
