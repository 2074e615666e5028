// Affine maps, frozen layers, and what is fused behind them.

import { Affine, type ApplyOptions, BatchNorm } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import { expectError } from "./expect-error.js";
import { inferenceBound, normalize, type Sizes, u, worst } from "./reference.js";

const SIZES: Sizes[] = [1, 2, 3, 7, 8, 9, 16, 33, 64, 100, 5000].flatMap((features) =>
  [
    [1, 1],
    [4, 1],
    [7, 1],
    [300, 1],
    [2, 5],
    [70, 3],
    [1, 49],
    [3, 64],
  ]
    .map(([outer, inner]) => ({ outer, features, inner }))
    .filter(({ outer, inner }) => outer * features * inner <= 200_000),
);

/** relu and relu6 leave NaN alone. */
function activate(value: number, activation: ApplyOptions["activation"]): number {
  if (activation === undefined || Number.isNaN(value)) return value;
  return Math.min(Math.max(value, 0), activation === "relu6" ? 6 : Number.POSITIVE_INFINITY);
}

/** A map whose features all differ, some of them falling. */
function mapOf(features: number, seed: number): Affine {
  const { gamma, beta, mean, variance } = parameters(features + seed);
  return new Affine(features, {
    center: mean.subarray(seed),
    scale: variance.map((v, j) => (j % 2 === 0 ? v : -v)).subarray(seed),
    shift: beta.map((b, j) => b + gamma[j]).subarray(seed),
  });
}

/** Feature j of the map in float64. */
function mapped({ center, scale, shift }: Affine, j: number, x: number): number {
  return (x - center[j]) * scale[j] + shift[j];
}

/** The sum of its terms' magnitudes: in float64 the map is off by at most 5·2⁻⁵³ of it, as in float32 by 5u. */
function magnitude({ center, scale, shift }: Affine, j: number, x: number): number {
  return (Math.abs(x) + Math.abs(center[j])) * Math.abs(scale[j]) + Math.abs(shift[j]);
}

describe("algebra", () => {
  const first = mapOf(5, 2);
  const second = mapOf(5, 3);

  test.each([-3, 0, 0.7, 1e4])("inverse undoes, pipe composes, at %d", (x) => {
    const both = first.pipe(second);
    const back = first.inverse();
    for (let j = 0; j < 5; j++) {
      const y = mapped(first, j, x);
      const m = magnitude(first, j, x);
      // Two steps on either side; what the first is off by, the second scales.
      const composed = 20 * 2 ** -53 * magnitude(second, j, m);
      expect(Math.abs(mapped(both, j, x) - mapped(second, j, y))).toBeLessThanOrEqual(composed);
      const undone = 10 * 2 ** -53 * magnitude(back, j, m);
      expect(Math.abs(mapped(back, j, y) - x)).toBeLessThanOrEqual(undone);
    }
  });

  test("what does not fit is refused", () => {
    expect(() => new Affine(2, { scale: [1, 0] }).inverse()).toThrow(
      new RangeError("scale[1]: expected a number other than 0, to be undone, got 0"),
    );
    // Its reciprocal is beyond the numbers.
    expect(() => new Affine(1, { scale: [1e-310] }).inverse()).toThrow(
      new RangeError("scale[0]: expected a number other than 0, to be undone, got 1e-310"),
    );
    expect(new Affine(1, { scale: [1e-307] }).inverse().scale[0]).toBe(1 / 1e-307);
    expect(() => first.pipe(mapOf(3, 0))).toThrow(new RangeError("other: expected features = 5, got 3"));
    expect(() => first.pipe(new Affine(5, { axis: 1 }))).toThrow(
      new RangeError("other: expected axis = -1, got 1"),
    );
    expect(() => Reflect.apply(first.pipe, first, [{}])).toThrow(
      new TypeError("other: expected an Affine, got an object"),
    );
  });

  test("a map can be awaited", async () => {
    expect(await Promise.resolve(first)).toBe(first);
  });
});

describe("JSON", () => {
  const map = new Affine(4, {
    axis: 1,
    center: [0.1, -0, Number.NaN, 1e300],
    scale: [Number.POSITIVE_INFINITY, 1 / 3, -2, 5e-324],
    shift: [1, 2, Number.NEGATIVE_INFINITY, 4],
  });

  test("exact, also NaN, infinity and −0", () => {
    const back = Affine.fromJSON(JSON.parse(JSON.stringify(map)));
    for (const field of ["features", "axis", "center", "scale", "shift"] as const) {
      expect(back[field]).toEqual(map[field]);
    }
  });

  test.each(["features", "axis", "center", "scale", "shift"])("without %s it is refused", (field) => {
    const { [field]: _, ...rest }: Record<string, unknown> = { ...map.toJSON() };
    expectError(() => Reflect.apply(Affine.fromJSON, Affine, [rest]), TypeError, `${field}: expected`);
  });

  test.each([
    [null, TypeError, "json: expected what toJSON returned, got null"],
    [{ ...map.toJSON(), axis: 0.5 }, RangeError, "axis: expected an integer, got 0.5"],
    [{ ...map.toJSON(), shift: [1] }, RangeError, "shift: expected an array of 4 numbers, got length 1"],
    [{ ...map.toJSON(), scale: [1, 2, 3, "4"] }, TypeError, 'scale[3]: expected a number, got "4"'],
  ] as const)("%j is refused", (json, kind, message) => {
    expectError(() => Reflect.apply(Affine.fromJSON, Affine, [json]), kind, message);
  });
});

onBothBackends(() => {
  test("an inverse runs like any map", () => {
    const map = mapOf(7, 1);
    const back = map.inverse();
    const x = make({ outer: 30, features: 7, inner: 1 }, "N(0, 1)");
    back.apply(map.apply(x)).forEach((value, i) => {
      const m = magnitude(map, i % 7, x[i]);
      expect(Math.abs(value - x[i])).toBeLessThanOrEqual(10 * u * magnitude(back, i % 7, m));
    });
  });

  test("a folded layer is its inference", () => {
    for (const sizes of SIZES) {
      const { gamma, beta, mean, variance } = parameters(sizes.features);
      const options = { axis: 1, gamma, beta, runningMean: mean, runningVariance: variance };
      const shape = [sizes.outer, sizes.features, sizes.inner];
      const x = make(sizes, "N(0, 1)");
      const map = new BatchNorm(sizes.features, options).fold();
      const exact = normalize(x, sizes, { mean, variance, gamma, beta });
      const feature = (i: number) => Math.floor(i / sizes.inner) % sizes.features;
      const bound = (y: number, i: number) => inferenceBound(y, beta[feature(i)]);
      const { ratio, at } = worst(map.apply(x, { shape }), exact, bound);
      expect(ratio, `${JSON.stringify(sizes)} at ${at}`).toBeLessThanOrEqual(1);
      expect(worst(map.apply(x, { shape, out: x }), exact, bound).ratio).toBeLessThanOrEqual(1);
    }
  });

  test("a folded layer reaches both ends of float32", () => {
    const x = make({ outer: 200, features: 3, inner: 1 }, "both ends of float32");
    const layer = new BatchNorm(3, { momentum: 1, unbiased: false });
    const trained = layer.train(x);
    for (const y of [layer.infer(x), layer.fold().apply(x)]) {
      expect(worst(y, trained, (v) => 1e-6 * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(1);
    }
  });

  test("its fields are copies, and it does not follow the layer", () => {
    const layer = new BatchNorm(2);
    const map = layer.fold();
    const x = Float32Array.of(1, 2);
    const before = map.apply(x);
    layer.gamma?.fill(9);
    map.scale.fill(9);
    map.shift.fill(9);
    map.center.fill(9);
    expect(map.apply(x)).toEqual(before);
    expect(new Affine(2, { scale: [2, 3], shift: [1, 0], center: [0, 1] }).apply(x)).toEqual(
      Float32Array.of(3, 3),
    );
    expect(new Affine(2).apply(x)).toEqual(x);
  });

  describe("residual and activation", () => {
    const options: [ApplyOptions["activation"], boolean][] = [
      [undefined, true],
      ["relu", false],
      ["relu6", false],
      ["relu", true],
      ["relu6", true],
    ];
    test.each(options)("%s, residual %s: y = activation(map(x) + residual)", (activation, added) => {
      for (const sizes of SIZES) {
        const { gamma, beta, mean, variance } = parameters(sizes.features);
        const layer = new BatchNorm(sizes.features, {
          axis: 1,
          gamma: gamma.map((g) => 3 * g),
          beta,
          runningMean: mean,
          runningVariance: variance,
        });
        const shape = [sizes.outer, sizes.features, sizes.inner];
        const x = make(sizes, "N(0, 1)");
        x[0] = Number.NaN;
        const residual = added ? make(sizes, "N(0, 1)", 2) : undefined;
        const plain = layer.infer(x, { shape });
        const exact = plain.map((y, i) => activate(y + (residual?.[i] ?? 0), activation));
        // Against the plain result, only the addition rounds anew.
        const bound = (_: number, i: number) =>
          8 * u * Math.max(Math.abs(plain[i]), Math.abs(residual?.[i] ?? 0), 1);
        for (const y of [
          layer.infer(x, { shape, residual, activation }),
          layer.fold().apply(x, { shape, residual, activation }),
          layer.infer(x, { shape, residual, activation, out: x.slice() }),
          residual && layer.infer(x, { shape, residual, activation, out: residual }),
        ]) {
          if (y === undefined) continue;
          const { ratio, at } = worst(y, exact, bound);
          expect(ratio, `${JSON.stringify(sizes)} at ${at}`).toBeLessThanOrEqual(1);
        }
      }
    });

    test("training has them too", () => {
      const x = make({ outer: 50, features: 9, inner: 1 }, "N(0, 1)");
      const residual = make({ outer: 50, features: 9, inner: 1 }, "N(0, 1)", 2);
      const plain = new BatchNorm(9).train(x);
      const y = new BatchNorm(9).train(x, { residual, activation: "relu" });
      const exact = plain.map((value, i) => activate(value + residual[i], "relu"));
      expect(worst(y, exact, (v) => 4 * u * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(1);
    });
  });
});
