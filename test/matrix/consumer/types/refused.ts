// What is wrong must not compile.

import { Affine, BatchNorm, Extrema, init, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";

const x = Float32Array.of(2, 4, 3, 5, 4, 6);
const t = new Tensor([3, 2], x);
const rows = [[1, 2]];
const frozen: readonly (readonly number[])[] = rows;
const doubles = Float64Array.of(1, 2);
const layer = new BatchNorm(2);
const map = new Affine(2);
const scaler = new StandardScaler(2);

// -------------------------------------------------------------- another kind of out

// @ts-expect-error: an array in, an array out
export const tensor: Tensor = layer.infer(x);
// @ts-expect-error: a tensor in, a tensor out
layer.infer(t, { out: x });
// @ts-expect-error: an array in, an array out
layer.train(x, { out: t });
// @ts-expect-error: an array in, an array out
layer.backward(x, t, { out: t });
// @ts-expect-error: float32 in, float32 out
scaler.transform(x, { out: doubles });
// @ts-expect-error: float64 in, float64 out
scaler.transform(doubles, { out: x });
// @ts-expect-error: rows in, rows out
scaler.transform(rows, { out: doubles });
// @ts-expect-error: rows of numbers in, rows of numbers out
scaler.transform(rows, { out: [doubles] });
// @ts-expect-error: rows that may not be written
scaler.transform(frozen, { out: frozen });

// ------------------------------------------------------------ another kind of data

// @ts-expect-error: layers are float32
layer.infer(doubles);
// @ts-expect-error: layers are float32
layer.train(doubles);
// @ts-expect-error: layers take no rows
layer.infer(rows);
// @ts-expect-error: maps are float32
map.apply(doubles);
// @ts-expect-error: one sample is [[1, 2]]
scaler.transform([1, 2]);
// @ts-expect-error: a gap is NaN
scaler.fit([[1, null]]);
// @ts-expect-error: not floating-point
scaler.fit(Int32Array.of(1, 2));
// @ts-expect-error: numbers, not text
new Moments().add([["1", "2"]]);
// @ts-expect-error: weights are float32
map.foldIntoLinear({ weight: [1, 2] }, { layout: "OI" });

// ---------------------------------------------------------------- unknown options

// @ts-expect-error: epsilon
new BatchNorm(2, { eps: 1 });
const misspelt = { eps: 1 };
// @ts-expect-error: epsilon
new BatchNorm(2, misspelt);
// @ts-expect-error: activation
layer.infer(x, { shape: [3, 2], activaton: "relu" });
// @ts-expect-error: only train takes moments
layer.infer(x, { moments: new Moments(2) });
// @ts-expect-error: only backward takes frozen
layer.train(x, { frozen: true });
// @ts-expect-error: a fit writes nothing
scaler.fit(x, { out: x });
// @ts-expect-error: the axis is the constructor's
scaler.transform(x, { axis: 0 });
// @ts-expect-error: range
new MinMaxScaler({ featureRange: [0, 1] });
// @ts-expect-error: a layout is needed
map.foldIntoConv({ weight: x }, {});
// @ts-expect-error: one layer has a prefix, all have none
BatchNorm.allFromPyTorch({}, { prefix: "bn1" });

// ------------------------------------------------- something else in place of options

// @ts-expect-error: { out: t }
layer.infer(t, t);
// @ts-expect-error: { out: x }
layer.infer(x, x);
// @ts-expect-error: { out: t }
layer.train(t, t);
// @ts-expect-error: { shape }
layer.infer(x, [3, 2]);
// @ts-expect-error: { out: t }
layer.backward(t, t, t);
// @ts-expect-error: { shape }
layer.gradients(t, t, t);
// @ts-expect-error: { out: t }
map.apply(t, t);
// @ts-expect-error: { out: t }
scaler.transform(t, t);
// @ts-expect-error: fit takes one x
scaler.fit(t, t);
// @ts-expect-error: fit takes one x
scaler.partialFit(rows, rows);
// @ts-expect-error: { out: rows }
scaler.fitTransform(rows, rows);
// @ts-expect-error: add takes one x
new Moments().add(t, t);
// @ts-expect-error: options, not a layer: BatchNorm.fromJSON(layer.toJSON()) is a copy
new BatchNorm(2, layer);
// @ts-expect-error: options, not a map
new Affine(2, map);
// @ts-expect-error: options, not a scaler
new StandardScaler(scaler);
// @ts-expect-error: options, not a scaler
new MinMaxScaler(2, new MinMaxScaler(2));
// @ts-expect-error: options, not extrema
new Extrema(new Extrema());
// @ts-expect-error: options, not an epsilon
new BatchNorm(2, 1e-3);

// @ts-expect-error: toJSON of a scaler of this kind
StandardScaler.fromJSON(new MinMaxScaler(2).toJSON());
// @ts-expect-error: layer.toJSON()
BatchNorm.fromJSON(layer);
// @ts-expect-error: JSON.parse it first
BatchNorm.fromJSON(JSON.stringify(layer));

// ------------------------------------------------------------------- wrong values

// @ts-expect-error: a number of features
new BatchNorm("2");
// @ts-expect-error: relu or relu6
layer.infer(x, { activation: "gelu" });
// @ts-expect-error: two ends
new MinMaxScaler({ range: [0, 1, 2] });
// @ts-expect-error: not a layout
map.foldIntoConv({ weight: x }, { layout: "NCHW" });
// @ts-expect-error: not a backend
init({ backend: "gpu" });
// @ts-expect-error: a scaler of another kind
scaler.merge(new MinMaxScaler(2));
// @ts-expect-error: what is read cannot be replaced
layer.gamma = new Float32Array(2);
