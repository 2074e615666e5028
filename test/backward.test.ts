// The gradients of training, against the formula in float64, and the formula against finite differences.

import { BatchNorm, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import { bounds } from "./gradient-bounds.js";
import { gradients, moments, normalize, type Sizes, u, worst } from "./reference.js";

const COLUMNS: Sizes[] = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 2048, 5000].flatMap(
  (features) =>
    [2, 3, 4, 5, 7, 8, 31, 64, 131, 257, 1000, 20000]
      .map((outer) => ({ outer, features, inner: 1 }))
      .filter(({ outer }) => outer * features <= 400_000),
);
const PLANES: Sizes[] = [2, 3, 4, 5, 7, 15, 16, 17, 31, 49, 64, 196, 511, 513, 1100, 12544, 60000].flatMap(
  (inner) =>
    [
      [1, 1],
      [1, 5],
      [3, 8],
      [5, 33],
      [80, 3],
    ]
      .map(([outer, features]) => ({ outer, features, inner }))
      .filter(({ outer, features }) => outer * features * inner <= 400_000),
);

function check(
  sizes: Sizes,
  kind = "N(0, 1)",
  x = make(sizes, kind, 3),
  dy = make(sizes, "N(0, 1)", 4),
): void {
  const { gamma, beta } = parameters(sizes.features);
  const shape = [sizes.outer, sizes.features, sizes.inner];
  const layer = new BatchNorm(sizes.features, { axis: 1, gamma, beta });
  layer.train(x, { shape });
  const { exact, ofX, ofGamma, ofBeta } = bounds(x, dy, sizes, gamma);
  const accept = (found: { dx: Float32Array; dGamma: Float32Array | null; dBeta: Float32Array | null }) => {
    for (const [name, values, expected, bound] of [
      ["dx", found.dx, exact.dx, ofX],
      ["dGamma", found.dGamma ?? [], exact.dGamma, ofGamma],
      ["dBeta", found.dBeta ?? [], exact.dBeta, ofBeta],
    ] as const) {
      const { ratio, at } = worst(values, expected, (v, i) => bound[i] + u * Math.abs(v) + 2 ** -149);
      expect(ratio, `${name} of ${shape}, ${kind}, at ${at}`).toBeLessThanOrEqual(1);
    }
  };
  accept(layer.backward(x, dy, { shape }));
  const over = dy.slice();
  const onto = layer.backward(x, over, { shape, out: over });
  expect(onto.dx).toBe(over);
  accept(onto);
  const own = x.slice();
  accept(layer.backward(own, dy, { shape, out: own }));
  using resident = new Tensor(shape, x);
  using upstream = new Tensor(shape, dy);
  const { dx, dGamma, dBeta } = layer.backward(resident, upstream, { out: upstream });
  expect(dx).toBe(upstream);
  accept({ dx: dx.data, dGamma, dBeta });
}

describe("the reference", () => {
  test("agrees with finite differences of Σ dy·y, in float64", () => {
    const sizes = { outer: 4, features: 3, inner: 2 };
    const { gamma, beta } = parameters(3);
    const x = Float64Array.from(make(sizes, "N(0, 1)", 1));
    const dy = Float64Array.from(make(sizes, "N(0, 1)", 2));
    const exact = gradients(x, dy, sizes, { gamma });
    const loss = (at: { x?: Float64Array; gamma?: Float64Array; beta?: Float64Array }) => {
      const values = at.x ?? x;
      const y = normalize(values, sizes, { ...moments(values, sizes), gamma, beta, ...at });
      return y.reduce((sum, value, i) => sum + dy[i] * value, 0);
    };
    const step = 1e-5;
    const slope = (key: "x" | "gamma" | "beta", from: ArrayLike<number>, i: number) => {
      const [high, low] = [step, -step].map((d) => {
        const moved = Float64Array.from(from);
        moved[i] += d;
        return loss({ [key]: moved });
      });
      return (high - low) / (2 * step);
    };
    // Central differences: the truncation is of order step² = 1e-10, the cancellation 1e-16/step = 1e-11.
    for (let i = 0; i < x.length; i++) expect(Math.abs(slope("x", x, i) - exact.dx[i])).toBeLessThan(1e-8);
    for (let j = 0; j < 3; j++) {
      expect(Math.abs(slope("gamma", gamma, j) - exact.dGamma[j])).toBeLessThan(1e-8);
      expect(Math.abs(slope("beta", beta, j) - exact.dBeta[j])).toBeLessThan(1e-8);
    }
  });
});

onBothBackends(() => {
  describe("gradients", () => {
    test.each([...new Set(COLUMNS.map((sizes) => sizes.features))])("%i features last", (features) => {
      for (const sizes of COLUMNS.filter((sizes) => sizes.features === features)) check(sizes);
    });

    test.each([...new Set(PLANES.map((sizes) => sizes.inner))])("planes of %i", (inner) => {
      for (const sizes of PLANES.filter((sizes) => sizes.inner === inner)) check(sizes);
    });

    test.each(["mean 1e4, std 1", "mean 1e6, std 1", "heavy tails", "sorted"])("data: %s", (kind) => {
      check({ outer: 700, features: 5, inner: 1 }, kind);
      check({ outer: 40, features: 9, inner: 1 }, kind);
      check({ outer: 6, features: 3, inner: 90 }, kind);
    });

    test.each(["both ends of float32", "huge, 1e30", "tiny, 1e-30"])("data: %s", (kind) => {
      check({ outer: 700, features: 5, inner: 1 }, kind);
      check({ outer: 6, features: 3, inner: 90 }, kind);
      // In one feature of the last strip alone.
      const sizes = { outer: 40, features: 4100, inner: 1 };
      const x = make(sizes, "N(0, 1)");
      const odd = make({ outer: 40, features: 1, inner: 1 }, kind);
      for (let row = 0; row < 40; row++) x[row * 4100 + 4098] = odd[row];
      check(sizes, kind, x);
    });

    test("a dy of one sign, whose sums grow with every row", () => {
      for (const sizes of [
        { outer: 40_000, features: 64, inner: 1 },
        { outer: 2, features: 3, inner: 60_000 },
      ]) {
        const x = make(sizes, "N(0, 1)", 3);
        check(sizes, "N(0, 1)", x, new Float32Array(x.length).fill(0.1));
      }
    });

    test("data of 5 million values, staged chunk by chunk", () => {
      const sizes = { outer: 20_000, features: 256, inner: 1 };
      const x = make(sizes, "N(0, 1)");
      const dy = new Float32Array(x.length).fill(1);
      const layer = new BatchNorm(256);
      layer.train(x);
      const { dx, dGamma, dBeta } = layer.backward(x, dy);
      // A constant dy moves no normalized value: dx = dGamma = 0 but for rounding.
      expect(dBeta).toEqual(new Float32Array(256).fill(20_000));
      expect(Math.max(...Array.from(dGamma ?? [1], Math.abs))).toBeLessThan(20_000 * 1e-6);
      expect(dx.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThan(1e-6);
    });
  });

  test("gamma or beta absent: no gradient for it", () => {
    const x = Float32Array.of(1, 2, 3, 5);
    const layer = new BatchNorm(2, { gamma: null, beta: null });
    layer.train(x);
    const { dx, dGamma, dBeta } = layer.backward(x, x);
    expect([dGamma, dBeta]).toEqual([null, null]);
    const full = new BatchNorm(2);
    full.train(x);
    expect(dx).toEqual(full.backward(x, x).dx);
  });

  test("it belongs to the latest successful train", () => {
    const first = make({ outer: 8, features: 2, inner: 1 }, "N(0, 1)", 1);
    const second = make({ outer: 8, features: 2, inner: 1 }, "N(0, 1)", 2);
    const layer = new BatchNorm(2);
    layer.train(first);
    const before = layer.backward(first, second).dx;
    layer.infer(second);
    expect(() => layer.train(new Float32Array(2))).toThrow(RangeError);
    expect(layer.backward(first, second).dx).toEqual(before);
    layer.train(second);
    expect(layer.backward(first, second).dx).not.toEqual(before);
  });

  test("what does not fit is refused, and nothing is written", () => {
    const x = Float32Array.of(1, 2, 3, 5);
    const layer = new BatchNorm(2);
    expect(() => layer.backward(x, x)).toThrow(
      new TypeError("backward: expected a call of train(x) before it, got none"),
    );
    expect(() => layer.gradients(x, x)).toThrow(
      new TypeError("gradients: expected a call of train(x) before it, got none"),
    );
    layer.train(x);
    const out = new Float32Array(4);
    const more = new Float32Array(6);
    expect(() => layer.backward(more, more)).toThrow(
      new RangeError("x: expected the 2 values per feature that train was given, got 3"),
    );
    expect(() => layer.backward(x, more, { out })).toThrow(
      new RangeError("dy: expected x's length 4, got 6"),
    );
    expect(() => layer.backward(x, more.subarray(0, 4), { out: more.subarray(1, 5) })).toThrow(
      new RangeError("out: expected dy itself or memory apart from it, got an overlap of the two"),
    );
    expect(() => Reflect.apply(layer.backward, layer, [x, [1, 2, 3, 4]])).toThrow(TypeError);
    expect(() => Reflect.apply(layer.backward, layer, [x, x, null])).toThrow(TypeError);
    layer.train(x, { activation: "relu" });
    expect(() => layer.backward(x, x, { out })).toThrow("backward: expected a train(x) without activation");
    expect(out).toEqual(new Float32Array(4));
  });
});
