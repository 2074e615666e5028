// npm run bench -- tfjs: batch normalization of TensorFlow.js by its own kernels, by what one would write instead, and
// by simdnorm's; one call at a time, and networks as a whole. Writes its table into docs/tfjs.md.

import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { register } from "../../build/tfjs.js";
import { mark } from "../../docs/marked.js";

/** Milliseconds that a sample takes at least, and that the samples of one row take: of a call, and of a network. */
const SAMPLE = 1;
const CALL = 3000;
const NETWORK = 12_000;

const shapes = [
  [8, 56, 56, 64],
  [1, 56, 56, 64],
  [1, 14, 14, 512],
  [1, 7, 7, 1024],
  [256, 64],
  [32, 64],
  [16, 64],
  [8, 64],
  [1, 1024],
  [1, 2],
];

/** Milliseconds that this process has computed: what other programs of the machine take does not count. */
function computed() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Milliseconds of each call, in the fastest of at least 20 samples that take turns; `ours` runs with simdnorm
 * registered, the others without.
 */
function timed(calls, row) {
  const contenders = Object.entries(calls).map(([name, call]) => ({
    name,
    call,
    count: 1,
    best: Number.POSITIVE_INFINITY,
  }));
  const end = performance.now() + row;
  for (let round = 0; round < 20 || performance.now() < end; round++) {
    for (const contender of contenders) {
      const { name, call, count } = contender;
      const undo = name === "ours" ? register() : () => {};
      const start = computed();
      for (let i = 0; i < count; i++) call();
      const ms = computed() - start;
      undo();
      contender.best = Math.min(contender.best, ms / count);
      if (ms < SAMPLE) contender.count *= 2;
    }
  }
  return Object.fromEntries(contenders.map(({ name, best }) => [name, best]));
}

/** One call of tf.batchNorm, whose result is disposed. */
function call(shape) {
  const features = shape.at(-1);
  const x = tf.randomNormal(shape, 3, 1, "float32", 1);
  const per = (seed, low, high) => tf.randomUniform([features], low, high, "float32", seed);
  const [mean, variance, offset, scale] = [per(2, 2, 4), per(3, 0.5, 2), per(4, -1, 1), per(5, 0.5, 2)];
  const factor = tf.tidy(() => tf.mul(scale, tf.rsqrt(tf.add(variance, 1e-3))));
  const addend = tf.tidy(() => tf.sub(offset, tf.mul(mean, factor)));
  const norm = () => tf.batchNorm(x, mean, variance, offset, scale, 1e-3).dispose();
  const mulAdd = () => {
    const product = tf.mul(x, factor);
    tf.add(product, addend).dispose();
    product.dispose();
  };
  const times = timed({ stock: norm, mulAdd, ours: norm }, CALL);
  for (const tensor of [x, mean, variance, offset, scale, factor, addend]) tensor.dispose();
  return times;
}

const normalized = (layer) => [layer, layers.batchNormalization(), layers.reLU({ maxValue: 6 })];

/** A depthwise-separable convolution (Howard et al. 2017). */
const block = (filters, strides = 1) => [
  ...normalized(layers.depthwiseConv2d({ kernelSize: 3, strides, padding: "same", useBias: false })),
  ...normalized(layers.conv2d({ filters, kernelSize: 1, useBias: false })),
];

const stem = (size, filters) =>
  normalized(
    layers.conv2d({
      ...{ inputShape: [size, size, 3], filters, kernelSize: 3, strides: 2 },
      ...{ padding: "same", useBias: false },
    }),
  );

/** With their initial weights: what a layer takes does not depend on them. */
const networks = {
  "MobileNet v1, 128 × 128": () => [
    ...stem(128, 32),
    ...[block(64), block(128, 2), block(128), block(256, 2), block(256), block(512, 2)].flat(),
    ...new Array(5).fill(512).flatMap((filters) => block(filters)),
    ...[block(1024, 2), block(1024)].flat(),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 1000, activation: "softmax" }),
  ],
  "4 of its blocks, 56 × 56 × 64": () => [...stem(112, 64), ...[64, 64, 64, 64].flatMap((f) => block(f))],
};

function predict(network) {
  const model = sequential({ layers: network() });
  const x = tf.randomNormal([1, ...model.inputs[0].shape.slice(1)], 0, 1, "float32", 7);
  const run = () => model.predict(x).dispose();
  const times = timed({ stock: run, ours: run }, NETWORK);
  for (const each of [model, x]) each.dispose();
  return times;
}

const time = (ms) => (ms < 0.1 ? `${(1e3 * ms).toPrecision(3)} µs` : `${ms.toPrecision(3)} ms`);
const cells = ({ stock, mulAdd, ours }) => [
  ...[stock, mulAdd, ours].map((ms) => (ms === undefined ? "" : time(ms))),
  (stock / ours).toPrecision(2),
];

// The cpu backend first, because its loops are slower once a WebAssembly memory of the process has grown.
await tf.setBackend("cpu");
const cpu = shapes.map(call);
await tf.setBackend("wasm");
const rows = shapes.map((shape, i) => [shape.join(" × "), ...cells(call(shape)), ...cells(cpu[i])]);
for (const [name, network] of Object.entries(networks)) {
  rows.push([name, ...cells(predict(network)), "", "", "", ""]);
}
const table = [
  ["", "wasm: tfjs", "mul + add", "simdnorm", "×", "cpu: tfjs", "mul + add", "simdnorm", "×"],
  new Array(9).fill("---"),
  ...rows,
].map((row) => `| ${row.join(" | ")} |`);
console.log(table.join("\n"));
mark("docs/tfjs.md", "tfjs", table.join("\n"));
