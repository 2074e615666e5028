// A program in TypeScript and ECMAScript modules: what a user may write must compile, what is wrong must not.

import { BatchNorm, backend, type Data, init, Moments, Tensor } from "simdnorm";
import * as edge from "simdnorm/edge";

const bn = new BatchNorm(2, { gamma: [0.5, 2], axis: -1, momentum: null });
const array: Float32Array = bn.train(Float32Array.of(2, 4, 3, 5, 4, 6));
const mean: Float64Array = new Moments(2).add(array).mean;

{
  using tensor = new Tensor([3, 2], array);
  const result: Tensor = bn.infer(tensor, { out: tensor });
  const data: Data = result;
  bn.infer(data instanceof Tensor ? data.data : data);
}

init({ backend: "javascript", memory: 1024 });
const running: "wasm" | "javascript" = backend();
const same: typeof BatchNorm = edge.BatchNorm;

// @ts-expect-error: a number of features
new BatchNorm("2");
// @ts-expect-error: an array in, an array out
const tensor: Tensor = bn.infer(array);
// @ts-expect-error: not a backend
init({ backend: "gpu" });

export { mean, running, same, tensor };
