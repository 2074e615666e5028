// The layer against the float64 reference: every loop boundary, both memory orders, both backends.

import { BatchNorm, Moments, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { kinds, make, parameters } from "./data.js";
import { inferenceBound, moments, normalize, type Sizes, worst } from "./reference.js";

const FEATURES = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 2048];
const ROWS = [1, 2, 3, 4, 5, 7, 8, 31, 64, 257, 1000, 70000];
const PLANES = [
  1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 49, 63, 64, 65, 196, 257, 512, 513, 784, 1025, 3136, 12544,
];

/** Values of one case at most: 70000 rows meet up to 100 features. */
const MOST = 2 ** 23;

const columns = FEATURES.flatMap((features) => ROWS.map((outer) => ({ outer, features, inner: 1 }))).filter(
  (sizes) => count(sizes) <= MOST,
);
const planes = PLANES.flatMap((inner) =>
  [
    [1, 1],
    [1, 5],
    [2, 3],
    [3, 8],
    [5, 33],
    [70, 3],
  ].map(([outer, features]) => ({ outer, features, inner })),
).filter((sizes) => count(sizes) <= MOST);

function count({ outer, features, inner }: Sizes): number {
  return outer * features * inner;
}

const present = (values: Float32Array | null) => values ?? new Float32Array();
const gammaOf = ({ gamma }: BatchNorm) => present(gamma);
const betaOf = ({ beta }: BatchNorm) => present(beta);

/** The arguments that make a layer see x as outer × features × inner. */
function seen({ outer, features, inner }: Sizes): {
  axis: number;
  shape: number[];
} {
  return { axis: 1, shape: [outer, features, inner] };
}

function checkInference(x: Float32Array, sizes: Sizes): void {
  const { gamma, beta, mean, variance } = parameters(sizes.features);
  const { axis, shape } = seen(sizes);
  const layer = new BatchNorm(sizes.features, {
    axis,
    gamma,
    beta,
    runningMean: mean,
    runningVariance: variance,
  });
  const exact = normalize(x, sizes, { mean, variance, gamma, beta });
  const feature = (i: number) => Math.floor(i / sizes.inner) % sizes.features;
  const { ratio, at } = worst(layer.infer(x, { shape }), exact, (y, i) =>
    inferenceBound(y, beta[feature(i)]),
  );
  expect(ratio, `inference of ${JSON.stringify(sizes)} at ${at}`).toBeLessThanOrEqual(1);
}

/**
 * The promises of training: the variance within 5·10⁻⁷, the mean within 1 ULP at the scale of the data
 * (the larger of |mean| and std), and the output within 10⁻⁶ of max(1, |y|), at any mean.
 */
function checkTraining(x: Float32Array, sizes: Sizes): void {
  const { gamma, beta } = parameters(sizes.features);
  const { axis, shape } = seen(sizes);
  const exact = moments(x, sizes);
  const about = JSON.stringify(sizes);

  const checkStatistics = (mean: Float64Array, variance: Float64Array) => {
    const v = worst(variance, exact.variance, (v) => 5e-7 * v);
    expect(v.ratio, `variance of ${about} at ${v.at}`).toBeLessThanOrEqual(1);
    const m = worst(mean, exact.mean, (m, j) => ulp(Math.max(Math.abs(m), Math.sqrt(exact.variance[j]))));
    expect(m.ratio, `mean of ${about} at ${m.at}`).toBeLessThanOrEqual(1);
  };
  const found = new Moments(sizes.features, { axis }).add(x, { shape });
  expect(found.count).toBe(sizes.outer * sizes.inner);
  checkStatistics(found.mean, found.variance);

  const layer = new BatchNorm(sizes.features, {
    axis,
    gamma,
    beta,
    momentum: 1,
    unbiased: false,
  });
  const y = normalize(x, sizes, { ...exact, gamma, beta });
  const output = worst(layer.train(x, { shape }), y, (v) => 1e-6 * Math.max(1, Math.abs(v)));
  expect(output.ratio, `output of ${about} at ${output.at}`).toBeLessThanOrEqual(1);
  checkStatistics(layer.runningMean, layer.runningVariance);
}

/** The distance of float32 numbers at v. */
function ulp(v: number): number {
  return Math.max(2 ** (Math.floor(Math.log2(v)) - 23), 2 ** -149);
}

onBothBackends(() => {
  describe("inference", () => {
    test.each(FEATURES)("%i features last, every number of rows", (features) => {
      for (const sizes of columns.filter((sizes) => sizes.features === features)) {
        checkInference(make(sizes, "N(0, 1)"), sizes);
      }
    });

    test.each(PLANES)("planes of %i", (inner) => {
      for (const sizes of planes.filter((sizes) => sizes.inner === inner)) {
        checkInference(make(sizes, "N(0, 1)"), sizes);
      }
    });

    test("at a mean 10⁵ standard deviations away", () => {
      for (const inner of [1, 49]) {
        const sizes = { outer: 64, features: 9, inner };
        const mean = Float64Array.from({ length: 9 }, (_, j) => 1e5 + j / 7);
        const variance = new Float64Array(9).fill(1);
        const x = make(sizes, "N(0, 1)").map((value) => value + 1e5);
        const { axis, shape } = seen(sizes);
        const layer = new BatchNorm(9, {
          axis,
          runningMean: mean,
          runningVariance: variance,
        });
        const { ratio } = worst(layer.infer(x, { shape }), normalize(x, sizes, { mean, variance }), (y) =>
          inferenceBound(y, 0),
        );
        expect(ratio).toBeLessThanOrEqual(1);
      }
    });
  });

  describe("training", () => {
    test.each(FEATURES)("%i features last, every number of rows", (features) => {
      for (const sizes of columns.filter((sizes) => sizes.features === features && sizes.outer > 1)) {
        checkTraining(make(sizes, "N(0, 1)"), sizes);
      }
    });

    test.each(PLANES)("planes of %i", (inner) => {
      for (const sizes of planes.filter((sizes) => sizes.inner === inner && sizes.outer * inner > 1)) {
        checkTraining(make(sizes, "N(0, 1)"), sizes);
      }
    });

    test.each(Object.keys(kinds))("data: %s", (kind) => {
      for (const outer of [2, 3, 5, 17, 64, 257, 1000, 20000]) {
        for (const features of [1, 3, 8, 20])
          checkTraining(make({ outer, features, inner: 1 }, kind), {
            outer,
            features,
            inner: 1,
          });
      }
      for (const inner of [2, 7, 49, 300, 5000]) {
        for (const outer of [1, 2, 80]) {
          const sizes = { outer, features: 3, inner };
          checkTraining(make(sizes, kind), sizes);
        }
      }
    });

    test("a constant feature has variance exactly 0 and becomes beta", () => {
      for (const value of [0, 0.1, 1234567.25, -3e-20, 1e-41, 3e38]) {
        for (const sizes of [
          { outer: 2, features: 3, inner: 1 },
          { outer: 37, features: 3, inner: 1 },
          { outer: 1000, features: 64, inner: 1 },
          { outer: 3, features: 3, inner: 7 },
          { outer: 2, features: 2, inner: 3137 },
        ]) {
          const x = new Float32Array(count(sizes)).fill(value);
          const { axis, shape } = seen(sizes);
          const beta = new Float32Array(sizes.features).fill(0.7);
          const found = new Moments(sizes.features, { axis }).add(x, { shape });
          expect(found.variance).toEqual(new Float64Array(sizes.features));
          expect(found.mean).toEqual(new Float64Array(sizes.features).fill(Math.fround(value)));
          const y = new BatchNorm(sizes.features, { axis, beta }).train(x, {
            shape,
          });
          expect(y).toEqual(new Float32Array(x.length).fill(0.7));
        }
      }
    });
  });

  test("a shift follows the mean: four rows of each quarter, with which sums begin, are far from all others", () => {
    const sizes = { outer: 16_384, features: 64, inner: 1 };
    const x = make(sizes, "mean 1e4, std 1");
    for (let row = 0; row < 16_384; row++) if (row % 4096 < 4) x.fill(0, 64 * row, 64 * (row + 1));
    const layer = new BatchNorm(64, { momentum: 1, unbiased: false });
    using tensor = new Tensor([16_384, 64], x);
    layer.train(tensor, { out: tensor });
    const { variance } = moments(x, sizes);
    expect(worst(layer.runningVariance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
  });

  describe("NaN and infinity", () => {
    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      "%f stays in its element or feature",
      (odd) => {
        for (const sizes of [
          { outer: 100, features: 11, inner: 1 },
          { outer: 3, features: 11, inner: 20 },
          { outer: 100, features: 11, inner: 4 },
        ]) {
          const { axis, shape } = seen(sizes);
          const plain = make(sizes, "N(0, 1)");
          const x = plain.slice();
          const at = 5 * sizes.inner;
          x[at] = odd;
          const layer = new BatchNorm(11, { axis });

          const clean = layer.infer(plain, { shape });
          clean[at] = Number.isNaN(odd) ? odd : Math.sign(odd) * Number.POSITIVE_INFINITY;
          expect(layer.infer(x, { shape })).toEqual(clean);

          const y = layer.train(x, { shape });
          const exact = normalize(plain, sizes, moments(plain, sizes));
          for (let i = 0; i < y.length; i++) {
            const j = Math.floor(i / sizes.inner) % 11;
            if (j === 5) expect(y[i]).toBeNaN();
            else
              expect(Math.abs(y[i] - exact[i])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(exact[i])));
          }
          expect(layer.runningVariance[5]).toBeNaN();
          expect(layer.runningMean[5]).toBe(odd);
          expect(layer.runningMean.filter(Number.isFinite).length).toBe(10);
        }
      },
    );
  });

  describe("axes", () => {
    test("equal dimensions, every axis", () => {
      const shape = [3, 3, 3, 3];
      const x = make({ outer: 1, features: 3, inner: 27 }, "sorted").map((v, i) => v + (i % 5));
      const { gamma, beta } = parameters(3);
      for (const axis of [0, 1, 2, 3, -1, -2, -3, -4]) {
        const at = axis < 0 ? axis + 4 : axis;
        const sizes = { outer: 3 ** at, features: 3, inner: 3 ** (3 - at) };
        const exact = normalize(x, sizes, {
          ...moments(x, sizes),
          gamma,
          beta,
        });
        const y = new BatchNorm(3, { axis, gamma, beta }).train(x, { shape });
        expect(worst(y, exact, (v) => 1e-6 * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(1);
      }
    });
  });

  describe("running statistics", () => {
    const batches = [1, 2, 3].map((seed) => make({ outer: 10, features: 2, inner: 1 }, "N(0, 1)", seed));
    const exact = batches.map((x) => moments(x, { outer: 10, features: 2, inner: 1 }));

    test.each([true, false])(
      "running ← (1 − momentum)·running + momentum·batch; unbiased: %s",
      (unbiased) => {
        const layer = new BatchNorm(2, {
          momentum: 0.3,
          unbiased,
          runningMean: [5, -5],
        });
        const mean = [5, -5];
        const variance = [1, 1];
        batches.forEach((x, b) => {
          layer.train(x);
          for (const j of [0, 1]) {
            mean[j] = 0.7 * mean[j] + 0.3 * exact[b].mean[j];
            variance[j] = 0.7 * variance[j] + 0.3 * exact[b].variance[j] * (unbiased ? 10 / 9 : 1);
            expect(layer.runningMean[j]).toBeCloseTo(mean[j], 6);
            expect(layer.runningVariance[j]).toBeCloseTo(variance[j], 6);
          }
          expect(layer.batchesTracked).toBe(b + 1);
        });
      },
    );

    test("momentum null: the average of all batches", () => {
      const layer = new BatchNorm(2, {
        momentum: null,
        unbiased: false,
        runningMean: [9, 9],
      });
      for (const x of batches) layer.train(x);
      for (const j of [0, 1]) {
        expect(layer.runningMean[j]).toBeCloseTo(
          (exact[0].mean[j] + exact[1].mean[j] + exact[2].mean[j]) / 3,
          6,
        );
      }
    });

    test("inference uses them, and changes nothing", () => {
      const layer = new BatchNorm(2, { momentum: 1, unbiased: false });
      const trained = layer.train(batches[0]);
      const state = [layer.runningMean.slice(), layer.runningVariance.slice()];
      expect(layer.infer(batches[0])).toEqual(trained);
      expect([layer.runningMean, layer.runningVariance]).toEqual(state);
      expect(layer.batchesTracked).toBe(1);
    });
  });

  describe("parameters", () => {
    const x = Float32Array.of(2, 4, 3, 5, 4, 6);

    test("the 3 × 2 worked example", () => {
      const y = new BatchNorm(2, { gamma: [0.5, 2], beta: [1, -1] }).train(x);
      expect(Array.from(y, (value) => value.toFixed(4))).toEqual([
        "0.3876",
        "-3.4495",
        "1.0000",
        "-1.0000",
        "1.6124",
        "1.4495",
      ]);
    });

    test("gamma and beta may be absent, each of them", () => {
      const scale = 1 / Math.sqrt(2 / 3 + 1e-5);
      const first = (options: object) => new BatchNorm(2, options).train(x)[0];
      expect(first({ gamma: null, beta: null })).toBeCloseTo(-scale, 6);
      expect(first({ gamma: null, beta: [3, 3] })).toBeCloseTo(3 - scale, 6);
      expect(first({ gamma: [2, 2], beta: null })).toBeCloseTo(-2 * scale, 6);
      const layer = new BatchNorm(2, { gamma: null, beta: null });
      expect([layer.gamma, layer.beta]).toEqual([null, null]);
    });

    test("a change in place counts from the next call on", () => {
      const layer = new BatchNorm(2);
      layer.gamma?.set([2, 3]);
      layer.beta?.set([1, -1]);
      expect(layer.infer(x)).toEqual(new BatchNorm(2, { gamma: [2, 3], beta: [1, -1] }).infer(x));
    });

    // What tensors are mapped by is kept from call to call; arrays are mapped anew.
    test.each([1, 3, 8, 100, 4096, 4097, 5000])(
      "on tensors too, of one of two layers with %i features",
      (features) => {
        // More values than calls on arrays have that run in JavaScript.
        const outer = Math.max(2, Math.ceil(200 / features));
        const x = make({ outer, features, inner: 1 }, "N(0, 1)", 7);
        using tensor = new Tensor([outer, features], x);
        const { gamma, beta, mean, variance } = parameters(features);
        const layers = [
          new BatchNorm(features, { epsilon: 0, gamma, beta, runningMean: mean, runningVariance: variance }),
          new BatchNorm(features, { epsilon: 0, gamma: null, beta: null }),
        ];
        const check = () => {
          for (const layer of [...layers, ...layers]) {
            using y = layer.infer(tensor);
            expect(y.data).toEqual(layer.infer(x));
          }
        };
        check();
        for (const at of new Set([0, features >> 1, features - 1])) {
          for (const values of [gammaOf(layers[0]), betaOf(layers[0]), layers[0].runningMean]) {
            values[at] += 0.5;
            check();
          }
          // What float32 does not hold, and then does again.
          for (const value of [1e-90, 2]) {
            for (const layer of layers) layer.runningVariance[at] = value;
            check();
          }
        }
        layers[1].train(x);
        check();
      },
    );

    test("epsilon is added to the variance", () => {
      expect(new BatchNorm(2, { epsilon: 3 }).infer(Float32Array.of(2, 4))).toEqual(Float32Array.of(1, 2));
      expect(new BatchNorm(2, { epsilon: 0 }).infer(Float32Array.of(2, 4))).toEqual(Float32Array.of(2, 4));
    });

    test("what was passed is copied", () => {
      const gamma = [1, 1];
      const layer = new BatchNorm(2, { gamma });
      gamma[0] = 9;
      expect(layer.gamma).toEqual(Float32Array.of(1, 1));
    });
  });

  describe("memory", () => {
    const shapes: Sizes[] = [
      { outer: 3, features: 2, inner: 1 },
      { outer: 70, features: 33, inner: 1 },
      { outer: 5, features: 3, inner: 49 },
      { outer: 80, features: 3, inner: 3 },
    ];

    test("in place, at every 4-byte offset, the same bits, and nothing else is touched", () => {
      for (const sizes of shapes) {
        const { axis, shape } = seen(sizes);
        const x = make(sizes, "N(0, 1)");
        const layer = () => new BatchNorm(sizes.features, { axis });
        const trained = layer().train(x, { shape });
        const inferred = layer().infer(x, { shape });
        for (let offset = 0; offset < 8; offset++) {
          const whole = new Float32Array(x.length + 16).fill(12345);
          const view = whole.subarray(offset, offset + x.length);
          for (const [run, expected] of [
            [(out: Float32Array, from: Float32Array) => layer().train(from, { shape, out }), trained],
            [(out: Float32Array, from: Float32Array) => layer().infer(from, { shape, out }), inferred],
          ] as const) {
            view.set(x);
            expect(run(view, view)).toBe(view);
            expect(view).toEqual(expected);
            expect(run(view, x)).toBe(view);
            expect(view).toEqual(expected);
            expect(whole.filter((value) => value === 12345).length).toBe(16);
          }
        }
      }
    });

    test("x is not modified, and a returned array never changes", () => {
      for (const sizes of shapes) {
        const { axis, shape } = seen(sizes);
        const x = make(sizes, "N(0, 1)");
        const copy = x.slice();
        const layer = new BatchNorm(sizes.features, { axis });
        const y = layer.train(x, { shape });
        const kept = y.slice();
        layer.train(x, { shape });
        layer.infer(x, { shape });
        expect(x).toEqual(copy);
        expect(y).toEqual(kept);
      }
    });

    test("an empty batch infers to an empty one", () => {
      expect(new BatchNorm(3).infer(new Float32Array(0))).toEqual(new Float32Array(0));
      expect(
        new BatchNorm(3, { axis: 1 }).infer(new Float32Array(0), {
          shape: [0, 3, 4],
        }),
      ).toEqual(new Float32Array(0));
    });
  });
});
