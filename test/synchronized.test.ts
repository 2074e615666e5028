// Synchronized batch normalization: replicas that share their statistics and gradients are one layer on the whole
// batch. And frozen statistics: the gradients of inference.

import { BatchNorm, Moments, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import { eachValue, gradients, type Sizes, u, worst } from "./reference.js";

const SHAPES: Sizes[] = [
  { outer: 8, features: 5, inner: 49 },
  { outer: 64, features: 33, inner: 1 },
  { outer: 9, features: 3, inner: 700 },
  { outer: 7, features: 4100, inner: 1 },
];

onBothBackends(() => {
  describe.each(SHAPES)("$outer × $features × $inner", (sizes) => {
    const { outer, features, inner } = sizes;
    const image = features * inner;
    const { gamma, beta } = parameters(features);
    const x = make(sizes, "N(0, 1)", 1);
    const dy = make(sizes, "N(0, 1)", 2);
    const layer = () => new BatchNorm(features, { axis: 1, gamma, beta });
    const shapeOf = (rows: number) => [rows, features, inner];

    test("unequal replicas give what the whole batch gives", () => {
      const whole = layer();
      const y = whole.train(x, { shape: shapeOf(outer) });
      const back = whole.backward(x, dy, { shape: shapeOf(outer) });

      const cuts = [0, 1, 3, outer];
      const parts = cuts.slice(1).map((end, i) => {
        const part = (values: Float32Array) => values.subarray(cuts[i] * image, end * image);
        return { rows: end - cuts[i], x: part(x), dy: part(dy), from: cuts[i] * image };
      });
      const moments = new Moments(features, { axis: 1 });
      for (const part of parts) {
        moments.merge(new Moments(features, { axis: 1 }).add(part.x, { shape: shapeOf(part.rows) }));
      }
      const replicas = parts.map(layer);
      const sums = { dGamma: new Float64Array(features), dBeta: new Float64Array(features) };
      for (const [r, part] of parts.entries()) {
        const found = replicas[r].train(part.x, { shape: shapeOf(part.rows), moments });
        const expected = Float64Array.from(y.subarray(part.from, part.from + found.length));
        // Both within 10⁻⁶ of the exact result.
        expect(worst(found, expected, (v) => 2e-6 * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(1);
        const { dGamma, dBeta } = replicas[r].gradients(part.x, part.dy, { shape: shapeOf(part.rows) });
        for (let j = 0; j < features; j++) {
          sums.dGamma[j] += dGamma[j];
          sums.dBeta[j] += dBeta[j];
        }
      }
      for (const replica of replicas) {
        const relative = (v: number) => 1e-6 * Math.max(1, Math.abs(v));
        expect(worst(replica.runningMean, whole.runningMean, relative).ratio).toBeLessThanOrEqual(1);
        expect(worst(replica.runningVariance, whole.runningVariance, relative).ratio).toBeLessThanOrEqual(1);
      }
      const exact = gradients(x, dy, sizes, { gamma });
      const n = outer * inner;
      for (const [r, part] of parts.entries()) {
        const { dx, dGamma } = replicas[r].backward(part.x, part.dy, {
          shape: shapeOf(part.rows),
          gradients: sums,
        });
        const expected = exact.dx.subarray(part.from, part.from + dx.length);
        expect(worst(dx, expected, () => 1e-5).ratio).toBeLessThanOrEqual(1);
        // As in backward.test.ts: 40u of the sum of magnitudes, here at most 5 deviations each.
        expect(worst(dGamma ?? [], exact.dGamma, () => 40 * u * 5 * n).ratio).toBeLessThanOrEqual(1);
        // Alone it has other statistics.
        expect(() => replicas[r].backward(part.x, part.dy, { shape: shapeOf(part.rows) })).toThrow(
          RangeError,
        );
      }
      expect(back.dGamma?.length).toBe(features);
    });

    test("frozen: the gradients of inference", () => {
      const { mean: runningMean, variance: runningVariance } = parameters(features);
      const frozen = new BatchNorm(features, { axis: 1, gamma, beta, runningMean, runningVariance });
      const exact = {
        dx: new Float64Array(x.length),
        dGamma: new Float64Array(features),
        dBeta: new Float64Array(features),
      };
      const size = new Float64Array(features);
      eachValue(sizes, (i, j) => {
        const s = 1 / Math.sqrt(runningVariance[j] + 1e-5);
        exact.dx[i] = gamma[j] * s * dy[i];
        exact.dGamma[j] += dy[i] * (x[i] - runningMean[j]) * s;
        exact.dBeta[j] += dy[i];
        size[j] += Math.abs(dy[i]) * (1 + Math.abs(x[i] - runningMean[j]) * s);
      });
      using tensor = new Tensor(shapeOf(outer), x);
      using upstream = new Tensor(shapeOf(outer), dy);
      using resident = frozen.backward(tensor, upstream, { frozen: true }).dx;
      const staged = frozen.backward(x, dy, { shape: shapeOf(outer), frozen: true });
      for (const dx of [staged.dx, resident.data]) {
        // One product of a rounded factor.
        expect(worst(dx, exact.dx, (v) => 3 * u * Math.abs(v) + 2 ** -149).ratio).toBeLessThanOrEqual(1);
      }
      expect(worst(staged.dGamma ?? [], exact.dGamma, (_, j) => 40 * u * size[j]).ratio).toBeLessThanOrEqual(
        1,
      );
      expect(worst(staged.dBeta ?? [], exact.dBeta, (_, j) => 40 * u * size[j]).ratio).toBeLessThanOrEqual(1);
      expect(frozen.batchesTracked).toBe(0);
    });
  });

  test("what does not fit is refused, and nothing is tracked", () => {
    const layer = new BatchNorm(2);
    const x = Float32Array.of(1, 2, 3, 5);
    const moments = new Moments(3).add(new Float32Array(6));
    expect(() => layer.train(x, { moments })).toThrow(
      "moments.mean: expected an array of features = 2 numbers, got length 3",
    );
    expect(() => layer.train(x, { moments: new Moments(2).add(x.subarray(2)) })).toThrow(
      "expected at least 2 values",
    );
    for (const variance of [
      [-1, 1],
      [1, -Infinity],
    ]) {
      expect(() => layer.train(x, { moments: { count: 2, mean: [0, 0], variance } })).toThrow(
        /^moments\.variance\[\d\]: expected a non-negative number, got -/,
      );
    }
    expect(() => layer.gradients(x, x)).toThrow("expected a call of train(x) before it");
    expect(() =>
      layer.backward(x, x, { frozen: true, gradients: { dGamma: [1, 1], dBeta: [1, 1] } }),
    ).toThrow(TypeError);
    layer.train(x);
    expect(() => layer.backward(x, x, { gradients: { dGamma: [1], dBeta: [1, 1] } })).toThrow(
      "gradients.dGamma: expected an array of features = 2 numbers, got length 1",
    );
    expect(layer.batchesTracked).toBe(1);
  });
});
