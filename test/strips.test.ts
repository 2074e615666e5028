// More features than the scratch memory's tables hold: such data is walked strip by strip, and the last strip
// may be as narrow as one feature.

import { BatchNorm, Extrema, Moments, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import { extrema, inferenceBound, moments, normalize, standard, worst } from "./reference.js";

/** Features in a strip. */
const STRIP = 4096;

// On both sides of the strip; then last strips that alone would be tiled, and one that would not.
const FEATURES = [STRIP - 1, STRIP, STRIP + 1, STRIP + 8, STRIP + 32, STRIP + 63, STRIP + 65, 2 * STRIP + 12];

// Tiling begins with 32 rows of 64 columns: 64 rows of 32 features, 256 of 8 and of 63.
const ROWS = [2, 64, 256];

onBothBackends(() => {
  describe.each(FEATURES)("%i features", (features) => {
    describe.each(ROWS)("%i rows", (rows) => {
      const sizes = { outer: rows, features, inner: 1 };
      const { gamma, beta, mean: runningMean, variance: runningVariance } = parameters(features);
      const x = make(sizes, "N(0, 1)");
      const { mean, variance } = moments(x, sizes);
      const layer = () => new BatchNorm(features, { gamma, beta, runningMean, runningVariance });

      const bounds = {
        inference: (y: number, i: number) => inferenceBound(y, beta[i % features]),
        training: (y: number) => 1e-6 * Math.max(1, Math.abs(y)),
      };
      function check(y: ArrayLike<number>, exact: Float64Array, bound: (y: number, i: number) => number) {
        const { ratio, at } = worst(y, exact, bound);
        expect(ratio, `at ${at}`).toBeLessThanOrEqual(1);
      }

      test("maps", () => {
        const exact = normalize(x, sizes, { gamma, beta, mean: runningMean, variance: runningVariance });
        using tensor = new Tensor([rows, features], x);
        using inferred = layer().infer(tensor);
        using mapped = layer().fold().apply(tensor);
        for (const y of [layer().infer(x), layer().fold().apply(x), inferred.data, mapped.data]) {
          check(y, exact, bounds.inference);
        }
      });

      test("training", () => {
        const exact = normalize(x, sizes, { gamma, beta, mean, variance });
        using tensor = new Tensor([rows, features], x);
        using trained = layer().train(tensor);
        for (const y of [layer().train(x), trained.data]) check(y, exact, bounds.training);
      });

      test("statistics", () => {
        const { scale } = standard(x, sizes);
        const ends = extrema(x, sizes);
        using tensor = new Tensor([rows, features], x);
        for (const data of [x, tensor]) {
          check(new Moments(features).add(data).variance, variance, (v) => 5e-7 * v);
          check(new StandardScaler(features).fit(data).scale ?? [], scale, (v) => 5e-7 * v);
          const { min, max } = new Extrema(features).add(data);
          expect([min, max]).toEqual([ends.min, ends.max]);
        }
      });
    });
  });
});
