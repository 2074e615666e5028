// Layers, maps and tensors: what goes in decides what comes out, also in a user's own functions.

import {
  Affine,
  type ApplyOptions,
  type BackwardResult,
  BatchNorm,
  backend,
  type Data,
  init,
  type Like,
  scope,
  Tensor,
} from "simdnorm";
import * as edge from "simdnorm/edge";
import { exactly } from "./exactly.js";

type Floats = Float32Array<ArrayBuffer>;

const bn = new BatchNorm(2, { gamma: [0.5, 2], axis: -1, momentum: null });
const array = Float32Array.of(2, 4, 3, 5, 4, 6);
const shared = new Float32Array(new SharedArrayBuffer(24));
const data = array as Data;

// ------------------------------------------------------------------------- calls

export const y: Float32Array = bn.infer(array);
exactly<Floats>()(bn.infer(array));
exactly<Floats>()(bn.train(array, { out: array }));
exactly<Floats>()(bn.infer(shared));
bn.infer(array, { out: shared });
exactly<Tensor | Floats>()(bn.infer(data));
bn.infer(data, { out: data });
bn.infer(data instanceof Tensor ? data.data : data);

{
  using tensor = new Tensor([3, 2], array);
  exactly<Tensor>()(bn.infer(tensor));
  exactly<Tensor>()(bn.train(tensor, { out: tensor }));
  exactly<BackwardResult<Tensor>>()(bn.backward(tensor, array, { out: tensor }));
  exactly<BackwardResult<Floats>>()(bn.backward(array, tensor));
  // What is beside x may be of the other kind.
  exactly<Tensor>()(new Affine(2).apply(tensor, { residual: array, activation: "relu" }));
  exactly<Floats>()(bn.fold().apply(array, { residual: tensor, activation: "relu6" }));
  exactly<Floats>()(tensor.data);
  exactly<Tensor>()(scope(() => bn.infer(tensor)));
}

// --------------------------------------------------------------- a user's functions

export function infer<X extends Data>(x: X): Like<X> {
  return bn.infer(x);
}

export function inPlace<X extends Data>(x: X, options: ApplyOptions): Like<X> {
  return bn.train(x, { ...options, out: x });
}

export function twice<X extends Data>(x: X): Data {
  return bn.fold().apply(bn.infer(x) as Data);
}

export function slopes<X extends Data>(x: X, dy: Data): Like<X> {
  return bn.backward(x, dy).dx;
}

exactly<Floats>()(infer(array));
exactly<Tensor>()(inPlace(new Tensor([3, 2]), { activation: "relu" }));

// ------------------------------------------------------ what the library allocates

exactly<Floats | null>()(bn.gamma);
exactly<Floats | null>()(bn.beta);
exactly<Float64Array<ArrayBuffer>>()(bn.runningMean);
exactly<Float64Array<ArrayBuffer>>()(bn.runningVariance);
exactly<Floats | null>()(bn.backward(array, array).dGamma);
exactly<Float64Array<ArrayBuffer>>()(bn.gradients(array, array).dBeta);
exactly<Float64Array<ArrayBuffer>>()(new Affine(2).center);
const folded = bn.fold().foldIntoConv({ weight: array }, { layout: "OIHW" });
exactly<Floats>()(folded.weight);
exactly<Floats>()(bn.fold().foldIntoLinear(folded, { layout: "OI" }).bias);

// ------------------------------------------------------- arrays that are only read

const sizes = [3, 2] as const;
const numbers: readonly number[] = [1, 2];
bn.infer(array, { shape: sizes });
new Tensor(sizes, numbers);
new BatchNorm(2, {
  gamma: numbers,
  beta: Float64Array.of(1, 2),
  runningMean: new Set(numbers).size ? numbers : [],
});
new Affine(2, { center: numbers, scale: Int8Array.of(1, 2), shift: [0, 0] });
bn.train(array, { moments: { count: 3, mean: numbers, variance: numbers } });
bn.backward(array, array, { gradients: { dGamma: numbers, dBeta: numbers } });
bn.fold().foldIntoConv(
  { weight: array, bias: numbers },
  { layout: "IOHW", shape: [3, 2, 1, 1] as const, padding: sizes },
);

// ------------------------------------------------------------------- elsewhere

BatchNorm.fromJSON(JSON.parse(JSON.stringify(bn)));
export const saved = bn.toJSON();
BatchNorm.fromJSON(saved);
const tensors = {
  weight: { data: array, shape: [2], dtype: "F32" },
  running_mean: array,
  running_var: numbers,
};
BatchNorm.fromPyTorch(tensors);
BatchNorm.fromPyTorch(new Map([["running_mean", array]]), { prefix: "bn1" });
exactly<Map<string, BatchNorm>>()(BatchNorm.allFromPyTorch(tensors, { axis: -1 }));
/** As TensorFlow.js types what `getConfig` returns. */
interface Config {
  [key: string]: null | boolean | number | string | Config;
}
BatchNorm.fromKeras([array, numbers] as const, {} as Config);
BatchNorm.fromOnnx([array, numbers, array, undefined], { epsilon: 1e-3 });

init({ backend: "javascript", memory: 1024 });
exactly<"wasm" | "javascript">()(backend());
exactly<typeof BatchNorm>()(edge.BatchNorm);
