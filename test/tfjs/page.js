// In a browser: batch normalization of tfjs on its own heap, with threads where the page may have them, against the
// formula in float64.

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import * as layers from "@tensorflow/tfjs-layers";
import { BatchNorm, backend } from "simdnorm";
import { register } from "simdnorm/tfjs";

let calls = 0;
const { infer } = BatchNorm.prototype;
BatchNorm.prototype.infer = function (...args) {
  calls++;
  return infer.apply(this, args);
};

const uniform = (shape, seed, low, high) => tf.randomUniform(shape, low, high, "float32", seed);

/** The largest |y − exact| in units of what float32 may cost: 5 roundings of the largest term. */
function worst(y, x, { mean, variance, offset, scale }, epsilon) {
  const [m, v, b, g] = [mean, variance, offset, scale].map((tensor) => tensor.dataSync());
  const before = x.dataSync();
  let ratio = 0;
  for (const [i, value] of y.dataSync().entries()) {
    const j = i % m.length;
    const term = ((before[i] - m[j]) / Math.sqrt(v[j] + epsilon)) * g[j];
    const exact = term + b[j];
    const bound = 5 * 2 ** -24 * Math.max(Math.abs(term), Math.abs(b[j]), Math.abs(exact));
    ratio = Math.max(ratio, Math.abs(value - exact) / bound);
  }
  return ratio;
}

/** A convolution of tfjs, and a batch norm of it. */
function convolved(size) {
  const image = uniform([1, size, size, 3], 1, 0, 1);
  const x = tf.conv2d(image, uniform([3, 3, 3, 64], 2, -1, 1), 1, "same");
  const per = (seed, low, high) => uniform([64], seed, low, high);
  const layer = {
    mean: per(3, -1, 1),
    variance: per(4, 0.5, 2),
    offset: per(5, -1, 1),
    scale: per(6, 0.5, 2),
  };
  return worst(tf.batchNorm(x, layer.mean, layer.variance, layer.offset, layer.scale), x, layer, 1e-3);
}

/** tfjs-layers' BatchNormalization, predicting. */
function predicted() {
  const norm = layers.layers.batchNormalization({ inputShape: [8, 8, 32], epsilon: 0.01 });
  const model = layers.sequential({ layers: [norm] });
  const per = (seed, low, high) => uniform([32], seed, low, high);
  const [scale, offset, mean, variance] = [per(7, 0.5, 2), per(8, -1, 1), per(9, -1, 1), per(10, 0.5, 2)];
  norm.setWeights([scale, offset, mean, variance]);
  const x = uniform([4, 8, 8, 32], 11, -3, 3);
  return worst(model.predict(x), x, { mean, variance, offset, scale }, 0.01);
}

/** Everything on one backend: errors, and what it ran on. */
globalThis.check = async (name) => {
  setWasmPaths("/wasm/");
  await tf.setBackend(name);
  const undo = register(name);
  calls = 0;
  tf.engine().startScope();
  const errors = { small: convolved(16), predicted: predicted() };
  const { PThread: pool } = tf.backend().wasm ?? {};
  const heap = () => tf.backend().wasm?.HEAPU8.buffer;
  const before = heap()?.byteLength;
  // More than the heap has.
  errors.large = convolved(name === "wasm" ? 200 : 30);
  const kernel = tf.getKernel("FusedBatchNorm", name);
  undo();
  tf.engine().endScope();
  return {
    errors,
    calls,
    backend: backend(),
    undone: tf.getKernel("FusedBatchNorm", name) !== kernel,
    grew: heap()?.byteLength > before,
    shared: typeof SharedArrayBuffer === "function" && heap() instanceof SharedArrayBuffer,
    workers: pool ? pool.runningWorkers.length + pool.unusedWorkers.length : 0,
  };
};
