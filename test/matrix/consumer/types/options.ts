// Options: `undefined` stands for the default, and objects may be declared before the call.

import {
  Affine,
  type AffineOptions,
  type ApplyOptions,
  BatchNorm,
  type BatchNormOptions,
  Extrema,
  type FoldConvOptions,
  init,
  MinMaxScaler,
  Moments,
  type OutOption,
  StandardScaler,
  Tensor,
} from "simdnorm";

const x = Float32Array.of(2, 4, 3, 5, 4, 6);
const layer = new BatchNorm(2);
const map = new Affine(2);

// --------------------------------------------------------------------- undefined

const none = undefined;
new BatchNorm(2, none);
new BatchNorm(2, { axis: none, epsilon: none, momentum: none, unbiased: none, gamma: none, beta: none });
new BatchNorm(2, { runningMean: none, runningVariance: none });
layer.train(x, { out: none, shape: none, residual: none, activation: none, moments: none });
layer.infer(x, { out: none, shape: none, residual: none, activation: none });
layer.backward(x, x, { out: none, shape: none, frozen: none, gradients: none });
layer.gradients(x, x, { shape: none });
new Affine(2, { axis: none, center: none, scale: none, shift: none });
map.foldIntoLinear({ weight: x, bias: none }, { layout: "OI", order: none });
map.foldIntoConv(
  { weight: x, bias: none },
  { layout: "OIHW", shape: none, groups: none, order: none, padding: none },
);
new Moments(none, { axis: none, nan: none });
new Moments().add(x, { shape: none });
new Extrema({ axis: none });
new StandardScaler({ axis: none, withMean: none, withStd: none });
new MinMaxScaler({ axis: none, range: none, clip: none });
new MinMaxScaler(2).fitTransform(x, { out: none, shape: none });
new Tensor([3, 2], none);
init({ module: none, backend: none, memory: none });
BatchNorm.fromPyTorch({}, { prefix: none, epsilon: none, momentum: none, axis: none });
BatchNorm.allFromPyTorch({}, { epsilon: none, momentum: none, axis: none });
BatchNorm.fromKeras([], { name: none, axis: none, momentum: none, epsilon: none, center: none, scale: none });
BatchNorm.fromOnnx([], { epsilon: none, momentum: none });

// -------------------------------------------------------------- declared before

const inferred = { axis: 1, epsilon: 1e-3, gamma: [1, 1], runningMean: new Float32Array(2) };
new BatchNorm(2, inferred);
const named: BatchNormOptions = { momentum: null, unbiased: false };
new BatchNorm(2, named);
const affine: AffineOptions = { axis: 1, center: [0, 0] };
new Affine(2, affine);
const constant = { shape: [3, 2], residual: x, activation: "relu" } as const;
layer.train(x, constant);
layer.infer(x, { ...constant, out: x });
const apply: ApplyOptions = { shape: [3, 2] };
const out: OutOption<Float32Array> & ApplyOptions = { ...apply, out: x };
map.apply(x, out);
const unit = { range: [-1, 1], clip: true } as const;
new MinMaxScaler(unit);
const conv: FoldConvOptions = { layout: "HWIO", groups: 1 };
map.foldIntoConv({ weight: x }, conv);
const shaped = { shape: [3, 2] };
new StandardScaler().fit(x, shaped).transform(x, shaped);

/** Options of the user's own, some of them handed on. */
export function configured(options: { epsilon?: number | undefined; axis?: number | undefined }): BatchNorm {
  return new BatchNorm(2, options);
}
