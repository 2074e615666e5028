// The operations of the library that are measured, one entry each: given a shape and where x, y and dy live (arrays
// or tensors; y may be x), an entry returns the call. The same table runs on both backends.

import {
  BatchNorm,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  MinMaxScaler,
  RMSNorm,
  StandardScaler,
} from "simdnorm";
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

/** Rows have no shape. */
const shapeOf = ({ tokens, sizes }) => (tokens ? {} : { shape: sizes });

function applied(layer, shape, { x, y }) {
  return layer && (() => layer.apply(x, { ...shapeOf(shape), out: y }));
}

function differentiated(layer, shape, { x, y, dy }) {
  // In place it would differentiate its own result, and its values would run away.
  return layer && x !== y ? () => layer.backward(x, dy, { ...shapeOf(shape), out: y }) : null;
}

const operations = {
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

/** Norms of rows. The residual stream grows by as much at every call: it does not run away. */
const added =
  (layer, { x, y, dy }) =>
  () =>
    layer.apply(x, { out: y, skip: dy, sum: x === y ? dy : x });

const tokenOperations = {
  layer: (shape, memory) => applied(new LayerNorm(shape.features), shape, memory),
  rms: (shape, memory) => applied(new RMSNorm(shape.features), shape, memory),
  "layer, skip": (shape, memory) => added(new LayerNorm(shape.features), memory),
  "rms, skip": (shape, memory) => added(new RMSNorm(shape.features), memory),
  "layer backward": (shape, memory) => differentiated(new LayerNorm(shape.features), shape, memory),
  "rms backward": (shape, memory) => differentiated(new RMSNorm(shape.features), shape, memory),
};

/** What is measured on a shape. */
export function operationsOf(shape) {
  return shape.tokens ? tokenOperations : operations;
}

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
