// The operations of the library that are measured, one entry each: given a shape and where x and y live (arrays
// or tensors, y may be x), an entry returns the call. The same table runs on both backends.

import { BatchNorm } from "simdnorm";
import { parameters } from "./shapes.js";

function layerOf({ features, axis }, given) {
  return new BatchNorm(features, { axis, ...given });
}

export const operations = {
  infer(shape, x, out, given = parameters(shape)) {
    const layer = layerOf(shape, given);
    return () => layer.infer(x, { shape: shape.sizes, out });
  },
  apply(shape, x, out, given = parameters(shape)) {
    const map = layerOf(shape, given).fold();
    return () => map.apply(x, { shape: shape.sizes, out });
  },
  train(shape, x, out, given = parameters(shape)) {
    const layer = layerOf(shape, given);
    return () => layer.train(x, { shape: shape.sizes, out });
  },
};

/** Every operation of a table of operations, in place and into `y`. */
export function callsOf(table, shape, x, y) {
  return Object.entries(table).flatMap(([operation, prepare]) => [
    { operation, place: "in place", call: prepare(shape, x, x) },
    { operation, place: "out", call: prepare(shape, x, y) },
  ]);
}
