// Affine maps, frozen layers, and what is fused behind them.

import { Affine, type ApplyOptions, BatchNorm } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
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

onBothBackends(() => {
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
