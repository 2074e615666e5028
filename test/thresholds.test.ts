// One below, at and one above every size at which something else runs, through the public API, on arrays and tensors.
// The strips of 4096 features have a file of their own.

import { BatchNorm, type Data, Extrema, Moments, scope, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make, parameters } from "./data.js";
import {
  eachValue,
  extrema,
  gradients,
  inferenceBound,
  moments,
  normalize,
  type Sizes,
  u,
  worst,
} from "./reference.js";

/** Values of the calls that run in JavaScript on either backend. */
const TINY = [16, 128];

/** Values that are staged at once; up to how many an array is staged as a whole and stays. */
const WINDOW = 48 * 1024;
const HOLD = 1024 * 1024;

/** Columns that rows are widened to; values of a plane that is read as columns, of as many images. */
const WIDE = 1024;
const SMALL_PLANE = 16;
const MANY_IMAGES = 64;

const around = (n: number) => [n - 1, n, n + 1];
const rows = (outer: number, features: number): Sizes => ({ outer, features, inner: 1 });
const planes = (outer: number, features: number, inner: number): Sizes => ({ outer, features, inner });

/** How many rows are read as one, by definition: as few as make at least 64 columns, a multiple of 8. */
function copiesOf(features: number): number {
  let copies = 1;
  while ((copies * features) % 8 !== 0 || copies * features < 64) copies++;
  return copies;
}

const THRESHOLDS: Record<string, Sizes[]> = {
  "calls that are faster in JavaScript": TINY.flatMap(around).flatMap((length) => [
    rows(length, 1),
    planes(1, 1, length),
    rows(Math.ceil(length / 3), 3),
    planes(2, Math.ceil(length / 14), 7),
  ]),
  "windows of rows": [1, 3, 64, 4095].flatMap((features) =>
    around(Math.floor(WINDOW / features)).map((outer) => rows(outer, features)),
  ),
  "windows of tiled rows": [3, 12, 63].flatMap((features) => {
    const tall = copiesOf(features);
    return around(Math.floor(WINDOW / features / tall) * tall).map((outer) => rows(outer, features));
  }),
  "windows of images": [
    ...around(WINDOW / 3 / 64).map((outer) => planes(outer, 3, 64)),
    ...around(WINDOW / 3).map((inner) => planes(2, 3, inner)),
  ],
  // Two planes fit, or one, or a part of one; the last part may be shorter than what planes are merged in pairs up to.
  "windows of planes": [...around(WINDOW / 2), ...around(WINDOW), ...around(WINDOW + 512)].map((inner) =>
    planes(2, 3, inner),
  ),
  "rows that are read as one": [1, 3, 12, 63].flatMap((features) =>
    [32 * copiesOf(features), 33 * copiesOf(features)].flatMap(around).map((outer) => rows(outer, features)),
  ),
  // 127 · 8 and 128 columns are wide enough; 129 · 8 would be too wide.
  "rows that are wide": [
    ...around(WIDE / 8).flatMap((features) => around(32 * 8).map((outer) => rows(outer, features))),
    ...around(WIDE).map((features) => rows(40, features)),
  ],
  "small planes that are read as columns": [
    ...around(SMALL_PLANE).flatMap((inner) => around(MANY_IMAGES).map((outer) => planes(outer, 5, inner))),
    ...around(WIDE / SMALL_PLANE).map((features) => planes(MANY_IMAGES, features, SMALL_PLANE)),
    ...around(32 * copiesOf(2 * 3)).map((outer) => planes(outer, 2, 3)),
  ],
};

/** As layers and statistics are given them. */
const seen = ({ outer, features, inner }: Sizes) => ({ axis: 1, shape: [outer, features, inner] });

/** Each value within its own bound, which is computed once for all that should be alike. */
function check(name: string, sizes: Sizes, y: Data, exact: Float64Array, bounds: Float64Array): void {
  const { ratio, at } = worst(y instanceof Tensor ? y.data : y, exact, (_, i) => bounds[i]);
  const { outer, features, inner } = sizes;
  expect(ratio, `${name} of ${outer} × ${features} × ${inner} at ${at}`).toBeLessThanOrEqual(1);
}

/** Values in an array, which is staged, and in a tensor, which is not. */
const array = (values: Float32Array): Data => values.slice();
const tensor = (values: Float32Array, shape: number[]): Data => new Tensor(shape, values);
type Form = typeof tensor;

/** The map, in and out of place, frozen and with a residual. */
function checkMaps(x: Float32Array, sizes: Sizes, forms: Form[] = [array, tensor]): void {
  const { axis, shape } = seen(sizes);
  const { gamma, beta, mean, variance } = parameters(sizes.features);
  const options = { axis, gamma, beta, runningMean: mean, runningVariance: variance };
  const layer = new BatchNorm(sizes.features, options);
  const exact = normalize(x, sizes, { gamma, beta, mean, variance });
  const bounds = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    bounds[i] = inferenceBound(exact[i], beta[j]);
  });
  // What is added is rounded once more.
  const sum = exact.map((y, i) => y + x[i]);
  const added = bounds.map((bound, i) => bound + u * (Math.abs(sum[i]) + bound));
  for (const form of forms) {
    scope(() => {
      const own = form(x, shape);
      check("residual", sizes, layer.infer(own, { shape, residual: own }), sum, added);
      check("apply", sizes, layer.fold().apply(own, { shape }), exact, bounds);
      check("infer", sizes, layer.infer(own, { shape }), exact, bounds);
      check("infer in place", sizes, layer.infer(own, { shape, out: own }), exact, bounds);
    });
  }
}

/** Statistics, training and its gradients, in and out of place. */
function checkTraining(
  x: Float32Array,
  dy: Float32Array,
  sizes: Sizes,
  forms: Form[] = [array, tensor],
): void {
  const { features, outer, inner } = sizes;
  const { axis, shape } = seen(sizes);
  const { gamma, beta } = parameters(features);
  const { mean, variance } = moments(x, sizes);
  const { min, max } = extrema(x, sizes);
  const exact = normalize(x, sizes, { gamma, beta, mean, variance });
  const trained = exact.map((y) => 1e-6 * Math.max(1, Math.abs(y)));

  // Both sums are off by at most 40u of their n terms' magnitudes (see backward.test.ts), dx by 16u of its own three.
  const n = outer * inner;
  const slopes = gradients(x, dy, sizes, { gamma });
  const s = variance.map((v) => 1 / Math.sqrt(v + 1e-5));
  const most = dy.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const sloped = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    const h = Math.abs(x[i] - mean[j]) * s[j];
    const terms = most + (Math.abs(slopes.dBeta[j]) + h * Math.abs(slopes.dGamma[j])) / n;
    sloped[i] = Math.abs(gamma[j]) * s[j] * (16 * u * terms + 40 * u * most * (1 + 2 * h)) + 2 ** -149;
  });

  for (const form of forms) {
    scope(() => {
      const [own, over] = [form(x, shape), form(dy, shape)];
      const found = new Moments(features, { axis }).add(own, { shape });
      expect(worst(found.variance, variance, (v) => 5e-7 * v).ratio).toBeLessThanOrEqual(1);
      const ends = new Extrema(features, { axis }).add(own, { shape });
      expect([ends.min, ends.max]).toEqual([min, max]);

      const layer = new BatchNorm(features, { axis, gamma, beta });
      check("train", sizes, layer.train(own, { shape }), exact, trained);
      check("dx", sizes, layer.backward(own, over, { shape }).dx, slopes.dx, sloped);
      const { dx } = layer.backward(own, over, { shape, out: over });
      check("dx over dy", sizes, dx, slopes.dx, sloped);
      check("train in place", sizes, layer.train(own, { shape, out: own }), exact, trained);
    });
  }
}

onBothBackends((backend) => {
  describe.each(Object.entries(THRESHOLDS))("%s", (_, all) => {
    test.each(all)("$outer × $features × $inner", (sizes) => {
      const x = make(sizes, "N(0, 1)", 1);
      checkMaps(x, sizes);
      if (sizes.outer * sizes.inner > 1) checkTraining(x, make(sizes, "N(0, 1)", 2), sizes);
    });
  });

  // 2²⁰ − 1 = 33 · 31,775 and 2²⁰ + 1 = 17 · 61,681.
  test.each([rows(31_775, 33), rows(HOLD / 32, 32), rows(61_681, 17)])(
    "arrays that are staged once: $outer × $features",
    (sizes) => checkTraining(make(sizes, "N(0, 1)", 1), make(sizes, "N(0, 1)", 2), sizes, [array]),
  );

  if (backend === "wasm") {
    // Where nothing is staged, rows are walked in two streams instead of four: out of place beyond 6 MB, with two
    // inputs beyond 16.
    const far = rows((16 * 2 ** 20) / 1024 + 1, 256);
    const [x, dy] = [1, 2].map((seed) => make(far, "N(0, 1)", seed));

    test.each(around((6 * 2 ** 20) / 256))("maps from far: %i × 64", (outer) => {
      checkMaps(x.subarray(0, 64 * outer), rows(outer, 64), [tensor]);
    });

    test.each(around((16 * 2 ** 20) / 1024))("gradients from far: %i × 256", (outer) => {
      const length = 256 * outer;
      checkTraining(x.subarray(0, length), dy.subarray(0, length), rows(outer, 256), [tensor]);
    });
  }
});
