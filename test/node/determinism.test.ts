// The same call gives the same bits, before and after the optimizing compiler has taken over, with other work in between.
// A tensor is walked in other chunks than an array, which is staged: what is computed of each value is the same, and sums
// of columns are merged in other blocks, so that statistics differ by rounding, within what either promises.

import { BatchNorm, init, LayerNorm, Moments, Tensor } from "simdnorm";
import { beforeAll, expect, test } from "vitest";
import { ramp } from "../subjects.js";

beforeAll(() => init({ backend: "wasm" }));

/** Columns that are one window, several windows, tiles, and strips; planes; small planes that are read as columns. */
const SHAPES = [
  [40, 5, 1],
  [10_000, 64, 1],
  [5000, 33, 1],
  [9, 5000, 1],
  [8, 64, 900],
  [2, 3, 60_000],
  [2000, 4, 16],
];

const bits = (values: Float32Array | Float64Array) => new Uint32Array(values.slice().buffer);

/** toEqual is slow on long arrays. */
function expectSame(found: Uint32Array, expected: Uint32Array): void {
  expect(found.length).toBe(expected.length);
  expect(expected.findIndex((word, i) => word !== found[i])).toBe(-1);
}

function train(x: Float32Array | Tensor, shape: readonly number[]) {
  const layer = new BatchNorm(shape[1], { axis: 1, momentum: 1, unbiased: false });
  const y = layer.train(x as Float32Array, { shape });
  const dx = layer.backward(x as Float32Array, x, { shape }).dx;
  const all = [y, dx].map((values: Float32Array | Tensor) =>
    values instanceof Tensor ? values.data.slice() : values,
  );
  return { y: all[0], dx: all[1], mean: layer.runningMean, variance: layer.runningVariance };
}

test.each(SHAPES)("%i × %i × %i: again and again", (...shape) => {
  const x = ramp(shape[0] * shape[1] * shape[2]);
  const first = Object.values(train(x, shape)).map(bits);
  for (let i = 0; i < 20; i++) {
    new Moments(7).add(ramp(7 * (i + 1)));
    new LayerNorm(50).apply(ramp(50 * (i + 1)));
  }
  for (let i = 0; i < 20; i++) {
    const again = Object.values(train(x, shape)).map(bits);
    for (const [k, words] of again.entries()) expectSame(words, first[k]);
  }
});

test.each(SHAPES)("%i × %i × %i: a tensor and an array", (...shape) => {
  const x = ramp(shape[0] * shape[1] * shape[2]);
  using tensor = new Tensor(shape, x);
  const [resident, staged] = [train(tensor, shape), train(x, shape)];
  for (const [j, variance] of staged.variance.entries()) {
    expect(Math.abs(resident.variance[j] / variance - 1)).toBeLessThanOrEqual(1e-6);
  }
  const infer = (x: Float32Array | Tensor) =>
    new BatchNorm(shape[1], { axis: 1 }).infer(x as Tensor, { shape });
  const y = infer(tensor);
  expectSame(bits(y.data), bits(infer(x) as unknown as Float32Array));
  y.dispose();
});
