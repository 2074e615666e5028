// What the library allocates, handed to a browser's interfaces.

import { Affine, BatchNorm, MinMaxScaler, StandardScaler, Tensor } from "simdnorm";

const y = new BatchNorm(2).infer(Float32Array.of(1, 2));
const z = new StandardScaler(2).fitTransform(Float64Array.of(1, 2));
const { data } = new Tensor([1, 2], y);
const { scale } = new Affine(2);
const { weight, bias } = new Affine(2).foldIntoLinear({ weight: y }, { layout: "OI" });

for (const array of [y, z, data, scale, weight, bias, new MinMaxScaler(2).min]) {
  if (array === undefined) continue;
  new Blob([array]);
  new Response(array);
  crypto.subtle.digest("SHA-256", array);
}

declare const port: MessagePort;
port.postMessage(y, [y.buffer]);
port.postMessage({ y, z }, { transfer: [y.buffer, z.buffer] });
export const copy = structuredClone(y, { transfer: [y.buffer] });
