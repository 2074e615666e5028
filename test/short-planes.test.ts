// The variance of planes within 5·10⁻⁷: of up to 512 values, whose float32 sums are merged two features at a time, and of
// long ones that begin far from where they stay.

import { BatchNorm } from "simdnorm";
import { expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { kinds, make } from "./data.js";
import { moments, worst } from "./reference.js";

/** Images, features and values of a plane: below, at and above where sums are flushed, and the longest. */
const SIZES = [
  [2, 1, 452],
  [2, 4, 500],
  [3, 3, 63],
  [3, 3, 64],
  [3, 3, 65],
  [8, 4, 100],
  [4, 2, 129],
  [2, 8, 300],
  [16, 2, 510],
  [4, 2, 512],
  [2, 2, 513],
];

onBothBackends(() => {
  const data = SIZES.flatMap((sizes) =>
    [...Object.keys(kinds), "x[i] = i"].map((kind) => [sizes, kind] as const),
  );
  test.each(data)("%j: %s", ([outer, features, inner], kind) => {
    for (let seed = 1; seed <= (kind === "heavy tails" ? 50 : 1); seed++) {
      const sizes = { outer, features, inner };
      const x =
        kind in kinds
          ? make(sizes, kind, seed)
          : Float32Array.from({ length: outer * features * inner }, (_, i) => i);
      const layer = new BatchNorm(features, { axis: 1, momentum: 1, unbiased: false });
      layer.train(x, { shape: [outer, features, inner] });
      const { variance } = moments(x, sizes);
      expect(worst(layer.runningVariance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
    }
  });

  // Summed about the first 64 values, the squares of the rest would be a thousand times their variance.
  test.each([3000, 60_000])("a plane of %i that begins far away", (inner) => {
    const x = make({ outer: 1, features: 1, inner }, "N(0, 1)").map((value, i) => (i < 64 ? 1000 : value));
    const layer = new BatchNorm(1, { axis: 1, momentum: 1, unbiased: false });
    layer.train(x, { shape: [1, 1, inner] });
    const { variance } = moments(x, { outer: 1, features: 1, inner });
    expect(worst(layer.runningVariance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
  });
});
