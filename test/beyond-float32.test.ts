// Maps that float32 cannot hold: a scale that is subnormal or infinite there, a center or a shift near its end. One
// feature that has such a map, among ordinary ones, wherever it stands, changes no promise.

import { Affine, BatchNorm, type Data, InstanceNorm, LayerNorm, MinMaxScaler, scope, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { make } from "./data.js";
import { eachValue, inferenceBound, moments, normalize, type Sizes, u, worst } from "./reference.js";

/** What float32 rounds to infinity. */
const INFINITE = 3.4028235677973366e38;

/** A map of one feature, and what its values look like: `spread`·N(0, 1) about `about`. */
interface Odd {
  center: number;
  scale: number;
  shift: number;
  about: number;
  spread: number;
}

const ODD: Record<string, Odd> = {
  "scale 1.1e-42": { center: 0, scale: 1.1e-42, shift: 0, about: 0, spread: 5e37 },
  "scale 1.1e-42, shift 1e-5": { center: 1e30, scale: -1.1e-42, shift: 1e-5, about: 0, spread: 5e37 },
  "scale 1e39": { center: 0, scale: 1e39, shift: 0, about: 0, spread: 1e-3 },
  "scale 1e39, center 1e-3": { center: 1e-3, scale: -1e39, shift: 1, about: 1e-3, spread: 1e-5 },
  "center 3e38": { center: 3e38, scale: 1e-37, shift: 0, about: 3e38, spread: 5e36 },
  "center −3e38, values on the other side": {
    center: -3e38,
    scale: 1e-37,
    shift: 0,
    about: 3e38,
    spread: 5e36,
  },
  "shift 3e38": { center: 0, scale: 1, shift: 3e38, about: 0, spread: 5e36 },
  "shift beyond float32": { center: 0, scale: 1e9, shift: 1e39, about: -1e30, spread: 5e28 },
  "scale below float64's normal": { center: 0, scale: 1e-310, shift: 2, about: 0, spread: 1e38 },
};

/** Calls in JavaScript, columns, tiles, planes, planes as columns, and two strips of columns and of planes. */
const SIZES: Sizes[] = [
  { outer: 3, features: 2, inner: 1 },
  { outer: 100, features: 9, inner: 1 },
  { outer: 900, features: 3, inner: 1 },
  { outer: 4, features: 5, inner: 50 },
  { outer: 100, features: 3, inner: 4 },
  { outer: 3, features: 4100, inner: 1 },
  { outer: 2, features: 4100, inner: 2 },
];

/** Values that are N(0, 1) but in the last feature but one. */
function dataOf(sizes: Sizes, { about, spread }: Pick<Odd, "about" | "spread">): Float32Array {
  const x = make(sizes, "N(0, 1)");
  eachValue(sizes, (i, j) => {
    if (j === oddOf(sizes)) x[i] = about + spread * x[i];
  });
  return x;
}

const oddOf = ({ features }: Sizes) => Math.max(0, features - 2);

/** Within its bound, or infinite where float32 is. */
function check(y: Float32Array, exact: Float64Array, bounds: Float64Array, name: string): void {
  const rounded = exact.map((v) => (Math.abs(v) >= INFINITE ? Math.sign(v) * Number.POSITIVE_INFINITY : v));
  const { ratio, at } = worst(y, rounded, (_, i) => bounds[i]);
  expect(ratio, `${name} at ${at}: expected ${exact[at]}, got ${y[at]}`).toBeLessThanOrEqual(1);
}

/** Staged, and where it stands; out of place and in place. */
function everywhere(
  x: Float32Array,
  shape: number[],
  map: (x: Data, options: { shape: number[]; out?: Data }) => Data,
  accept: (y: Float32Array, name: string) => void,
): void {
  scope(() => {
    const valuesOf = (y: Data) => (y instanceof Tensor ? y.data : y);
    const array = x.slice();
    const tensor = new Tensor(shape, x);
    accept(valuesOf(map(array, { shape })), "an array");
    accept(valuesOf(map(tensor, { shape })), "a tensor");
    expect([array, tensor.data]).toEqual([x, x]);
    accept(valuesOf(map(array, { shape, out: array })), "an array in place");
    accept(valuesOf(map(tensor, { shape, out: tensor })), "a tensor in place");
  });
}

onBothBackends(() => {
  describe.each(Object.entries(ODD))("%s", (_, odd) => {
    test.each(SIZES)("$outer × $features × $inner", (sizes) => {
      const { outer, features, inner } = sizes;
      const shape = [outer, features, inner];
      const at = oddOf(sizes);
      const x = dataOf(sizes, odd);
      const but = (ordinary: number, value: number) =>
        Float64Array.from({ length: features }, (_, j) => (j === at ? value : ordinary + (j % 5) / 10));
      const center = but(0.1, odd.center);
      const scale = but(0.5, odd.scale);
      const shift = but(-0.3, odd.shift);
      const exact = new Float64Array(x.length);
      const bounds = new Float64Array(x.length);
      eachValue(sizes, (i, j) => {
        exact[i] = (x[i] - center[j]) * scale[j] + shift[j];
        bounds[i] = inferenceBound(exact[i], shift[j]);
      });

      const map = new Affine(features, { axis: 1, center, scale, shift });
      everywhere(
        x,
        shape,
        (...args) => Reflect.apply(map.apply, map, args),
        (y, name) => check(y, exact, bounds, name),
      );

      // Plus what ends the sum where it began, rounded once more.
      const residual = x.map((_, i) => (Math.abs(exact[i]) < INFINITE ? -exact[i] / 2 : 0));
      const sum = exact.map((y, i) => y + residual[i]);
      const added = bounds.map((bound, i) => bound + u * (Math.abs(sum[i]) + bound));
      check(map.apply(x, { shape, residual }), sum, added, "residual");
    });
  });

  // As float32, gamma is subnormal; a variance of 1e-78 makes a scale of 1e39.
  describe.each([
    ["gamma 1e-42", { gamma: 1e-42, mean: 0, variance: 1e-10, about: 0, spread: 1e30 }],
    ["a mean of 3e38", { gamma: 1, mean: 3e38, variance: 1e74, about: 3e38, spread: 5e36 }],
    ["scale 1e39", { gamma: 1, mean: 0, variance: 1e-78, about: 0, spread: 1e-3 }],
  ])("a layer with %s", (_, odd) => {
    test.each(SIZES)("$outer × $features × $inner", (sizes) => {
      const { outer, features, inner } = sizes;
      const shape = [outer, features, inner];
      const at = oddOf(sizes);
      const x = dataOf(sizes, odd);
      const but = (ordinary: number, value: number) =>
        Float64Array.from({ length: features }, (_, j) => (j === at ? value : ordinary));
      const gamma = Float32Array.from(but(1.5, odd.gamma));
      const beta = Float32Array.from(but(0.3, 0));
      const [runningMean, runningVariance] = [but(0.1, odd.mean), but(2, odd.variance)];
      const options = { axis: 1, epsilon: 0, gamma, beta };

      const frozen = { mean: runningMean, variance: runningVariance };
      const exact = normalize(x, sizes, { ...frozen, gamma, beta, epsilon: 0 });
      const bounds = new Float64Array(x.length);
      eachValue(sizes, (i, j) => {
        bounds[i] = inferenceBound(exact[i], beta[j]);
      });
      const layer = new BatchNorm(features, { ...options, runningMean, runningVariance });
      const map = layer.fold();
      for (const call of [layer.infer.bind(layer), map.apply.bind(map)]) {
        everywhere(
          x,
          shape,
          (...args) => Reflect.apply(call, null, args),
          (y, name) => check(y, exact, bounds, name),
        );
      }

      // Training by the batch's own statistics, within 10⁻⁶ of gamma·max(1, |x̂|) and of what is added to it.
      const own = moments(x, sizes);
      const trained = normalize(x, sizes, { ...own, gamma, beta, epsilon: 0 });
      eachValue(sizes, (i, j) => {
        const size = Math.max(Math.abs(gamma[j]), Math.abs(trained[i] - beta[j]), Math.abs(beta[j]));
        bounds[i] = 1e-6 * size + 2 ** -149;
      });
      everywhere(
        x,
        shape,
        (x, shaped) =>
          Reflect.apply(BatchNorm.prototype.train, new BatchNorm(features, options), [x, shaped]),
        (y, name) => check(y, trained, bounds, name),
      );
    });
  });

  // Squares of such values are 0 in float32, and a deviation of theirs makes a scale of 10⁴¹.
  test.each(SIZES.slice(1))("subnormal values, epsilon 0: $outer × $features × $inner", (sizes) => {
    const { outer, features, inner } = sizes;
    const shape = [outer, features, inner];
    const x = make(sizes, "denormal, 1e-41");
    const own = moments(x, sizes);
    const exact = normalize(x, sizes, { ...own, epsilon: 0 });
    const bounds = exact.map((v) => 1e-6 * Math.max(1, Math.abs(v)));
    const settings = { axis: 1, epsilon: 0 };
    everywhere(
      x,
      shape,
      (x, shaped) => Reflect.apply(BatchNorm.prototype.train, new BatchNorm(features, settings), [x, shaped]),
      (y, name) => check(y, exact, bounds, name),
    );
    // The same statistics in another order: features of one image.
    const image: Sizes = { outer: 1, features, inner: x.length / features };
    const ofImage = normalize(x, image, { ...moments(x, image), epsilon: 0 });
    const norm = new InstanceNorm(features, settings);
    check(norm.apply(x, { shape: [1, features, image.inner] }), ofImage, bounds.fill(4e-6), "an image");
    const rows: Sizes = { outer: 1, features: outer, inner: features * inner };
    const ofRows = normalize(x, rows, { ...moments(x, rows), epsilon: 0 });
    check(new LayerNorm(rows.inner, { epsilon: 0 }).apply(x), ofRows, bounds.fill(6e-6), "rows");
  });

  test.each([
    [-3e38, 3e38],
    [-3.4e38, 3.4e38],
    [1e38, 3.4e38],
  ])("a min-max range from %d to %d comes back", (low, high) => {
    for (const range of [
      [0, 1],
      [-1, 1],
      [0, 255],
    ] as [number, number][]) {
      const ends = [low, high].map(Math.fround);
      const x = Float32Array.from(
        { length: 300 },
        (_, i) => ends[0] * (1 - (i % 3) / 2) + ends[1] * ((i % 3) / 2),
      );
      const scaler = new MinMaxScaler(1, { range }).fit(x);
      const y = scaler.transform(x);
      const back = scaler.inverseTransform(y);
      // y is rounded to 5 units of the larger end, which the width of the data is as often.
      const bound = 12 * u * (ends[1] - ends[0]);
      expect(worst(back, x, () => bound).ratio).toBeLessThanOrEqual(1);
      expect(Math.min(...y)).toBe(range[0]);
      expect(Math.max(...y)).toBe(range[1]);
    }
  });
});
