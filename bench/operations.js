// The operations of the library that are measured, one entry each: given a shape and where x, y and dy live (arrays
// or tensors; y may be x), an entry returns the call. The same table runs on both backends.

import { BatchNorm, GroupNorm, InstanceNorm, MinMaxScaler, StandardScaler } from "simdnorm";
import { parameters } from "./shapes.js";

function layerOf({ features, axis }, given) {
  return new BatchNorm(features, { axis, ...given });
}

/** The layer of a shape that has images, in 32 groups or in as many as features. */
function groupsOf({ features, axis, sizes }, groups) {
  if (sizes.length < 3) return null;
  return groups === features
    ? new InstanceNorm(features, { axis })
    : new GroupNorm(groups, features, { axis });
}

function applied(layer, { sizes }, { x, y }) {
  return layer && (() => layer.apply(x, { shape: sizes, out: y }));
}

function differentiated(layer, { sizes }, { x, y, dy }) {
  // In place it would differentiate its own result, and its values would run away.
  return layer && x !== y ? () => layer.backward(x, dy, { shape: sizes, out: y }) : null;
}

export const operations = {
  infer(shape, { x, y }, given = parameters(shape)) {
    const layer = layerOf(shape, given);
    return () => layer.infer(x, { shape: shape.sizes, out: y });
  },
  apply(shape, { x, y }, given = parameters(shape)) {
    const map = layerOf(shape, given).fold();
    return () => map.apply(x, { shape: shape.sizes, out: y });
  },
  train(shape, { x, y }, given = parameters(shape)) {
    const layer = layerOf(shape, given);
    return () => layer.train(x, { shape: shape.sizes, out: y });
  },
  backward(shape, { x, y, dy }) {
    // In place it would differentiate its own result, and its values would run away.
    if (x === y) return null;
    const layer = layerOf(shape, parameters(shape));
    layer.train(x, { shape: shape.sizes, out: y });
    return () => layer.backward(x, dy, { shape: shape.sizes, out: y });
  },
  group: (shape, memory) => applied(groupsOf(shape, 32), shape, memory),
  instance: (shape, memory) => applied(groupsOf(shape, shape.features), shape, memory),
  "group backward": (shape, memory) => differentiated(groupsOf(shape, 32), shape, memory),
  "instance backward": (shape, memory) => differentiated(groupsOf(shape, shape.features), shape, memory),
  standard({ features, axis, sizes }, { x, y }) {
    const scaler = new StandardScaler(features, { axis });
    return () => scaler.fitTransform(x, { shape: sizes, out: y });
  },
  "min-max"({ features, axis, sizes }, { x, y }) {
    const scaler = new MinMaxScaler(features, { axis });
    return () => scaler.fitTransform(x, { shape: sizes, out: y });
  },
};

/** Every operation of a table of operations, in place and out of place. */
export function callsOf(table, shape, memory) {
  const inPlace = { ...memory, y: memory.x };
  return Object.entries(table)
    .flatMap(([operation, prepare]) => [
      { operation, place: "in place", call: prepare(shape, inPlace) },
      { operation, place: "out", call: prepare(shape, memory) },
    ])
    .filter(({ call }) => call !== null);
}
