// A training step: normalize the batch, go back through it, and let gamma and beta descend the gradient.

import { BatchNorm } from "simdnorm";
import { worst } from "./worst.js";

const [samples, features] = [64, 4];
const x = Float32Array.from({ length: samples * features }, (_, i) => 5 * Math.sin(i * i) + (i % features));
const target = x.map((value, i) => Math.sin(value) + (i % features));

const bn = new BatchNorm(features);
// They are null in a layer that is made without.
const { gamma, beta } = bn;

/** One step; the mean squared error before it. */
function step(rate: number): number {
  const y = bn.train(x);
  const errors = y.map((value, i) => value - target[i]!);
  const { dGamma, dBeta } = bn.backward(
    x,
    errors.map((error) => (2 * error) / y.length),
  );
  for (let j = 0; j < features; j++) {
    gamma![j]! -= rate * dGamma![j]!;
    beta![j]! -= rate * dBeta![j]!;
  }
  return errors.reduce((sum, error) => sum + error ** 2, 0) / y.length;
}

bn.train(x);
const dy = x.map((_, i) => Math.cos(i));
const { dx, dGamma, dBeta } = bn.backward(x, dy);

// dBeta = Σdy, dGamma = Σdy·x̂, dx = gamma/√(variance + epsilon)·(dy − dBeta/n − x̂·dGamma/n); gamma is 1 so far.
const exact = Array.from({ length: features }, (_, j) => {
  const column = (values: Float32Array) => Array.from(values).filter((_, i) => i % features === j);
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  const mean = total(column(x)) / samples;
  const root = Math.sqrt(total(column(x).map((value) => (value - mean) ** 2)) / samples + bn.epsilon);
  const normalized = column(x).map((value) => (value - mean) / root);
  const dGamma = total(column(dy).map((slope, i) => slope * normalized[i]!));
  const dBeta = total(column(dy));
  const dx = column(dy).map(
    (slope, i) => (slope - dBeta / samples - (normalized[i]! * dGamma) / samples) / root,
  );
  return { dGamma, dBeta, dx };
});
// The sums have 64 terms of at most 2, each rounded to float32 a few times.
const close = 64 * 2 * 4 * 2 ** -24;
worst(
  dGamma!,
  exact.map((feature) => feature.dGamma),
  close,
);
worst(
  dBeta!,
  exact.map((feature) => feature.dBeta),
  close,
);
const difference = worst(
  dx,
  Array.from(dx, (_, i) => exact[i % features]!.dx[Math.floor(i / features)]!),
  1e-6,
);

const losses = Array.from({ length: 100 }, () => step(0.5));
// The loss is a parabola of gamma and beta: it falls, until float32 rounds what is left of the slope.
if (losses.some((loss, i) => i > 0 && loss > losses[i - 1]! + 1e-6)) throw new Error(`${losses}`);
console.log(
  `training: dx within ${difference}, loss ${losses[0]!.toFixed(3)}, then ${losses[99]!.toFixed(3)}`,
);
