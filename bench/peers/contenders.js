// The packages one would use instead, each with its best calls for the job, single-threaded.

import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import * as ort from "onnxruntime-web";
import { model } from "./onnx.js";

await tf.setBackend("wasm");
ort.env.wasm.numThreads = 1;

/**
 * The calls of every package on one shape: a call gives the output, or nothing where the output stays in the
 * package's own memory (and is disposed).
 *
 * @param {import("../shapes.js").shapes[0]} shape
 * @param {Float32Array} data
 * @param given a layer's parameters: epsilon, gamma, beta, runningMean, runningVariance
 */
export async function peers(shape, data, given) {
  const factors = fold(given);
  tf.engine().startScope();
  const rows = [...tensorflow(shape, data, given, factors), ...(await onnx(shape, data, given, factors))];
  return {
    rows,
    async free() {
      tf.engine().endScope();
      for (const { session } of rows) await session?.release();
    },
  };
}

/** Sizes of an array per feature that broadcasts over x. */
function broadcast({ axis, sizes, features }) {
  return axis === -1 ? [features] : sizes.map((_, i) => (i === axis ? features : 1));
}

/** The axes that a mean per feature is taken over. */
function reduced({ axis, sizes }) {
  return sizes.map((_, i) => i).filter((i) => i !== (axis === -1 ? sizes.length - 1 : axis));
}

/** y = x·scale + shift, the layer folded by hand: what is fastest in every framework. */
function fold({ epsilon, gamma, beta, runningMean, runningVariance }) {
  const scale = gamma.map((value, j) => value / Math.sqrt(runningVariance[j] + epsilon));
  return { scale, shift: beta.map((value, j) => value - runningMean[j] * scale[j]) };
}

function tensorflow(shape, data, given, factors) {
  const per = (values) => tf.tensor(Float32Array.from(values), broadcast(shape));
  const gamma = per(given.gamma);
  const beta = per(given.beta);
  const mean = per(given.runningMean);
  const variance = per(given.runningVariance);
  const scale = per(factors.scale);
  const shift = per(factors.shift);
  const x = tf.tensor(data, shape.sizes);
  const row = (name, operation, map) => [
    { name: `tfjs ${name}, tensor`, operation, call: () => void tf.tidy(() => void map(x)) },
    {
      name: `tfjs ${name}, Float32Array`,
      operation,
      call() {
        let y;
        // Not the tidy's result: it would look for tensors in every element of the array.
        tf.tidy(() => {
          y = map(tf.tensor(data, shape.sizes)).dataSync();
        });
        return y;
      },
    },
  ];
  const mulAdd = row("mul + add", "infer", (x) => tf.add(tf.mul(x, scale), shift));
  if (shape.axis !== -1) {
    // Its batchNorm takes the last axis only.
    const train = row("moments + arithmetic", "train", (x) => {
      const batch = tf.moments(x, reduced(shape), true);
      const scale = tf.mul(gamma, tf.rsqrt(tf.add(batch.variance, given.epsilon)));
      return tf.add(tf.mul(tf.sub(x, batch.mean), scale), beta);
    });
    return [...mulAdd, ...train];
  }
  return [
    ...row("batchNorm", "infer", (x) => tf.batchNorm(x, mean, variance, beta, gamma, given.epsilon)),
    ...mulAdd,
    ...row("moments + batchNorm", "train", (x) => {
      const batch = tf.moments(x, reduced(shape));
      return tf.batchNorm(x, batch.mean, batch.variance, beta, gamma, given.epsilon);
    }),
  ];
}

async function onnx(shape, data, given, factors) {
  const { sizes, features } = shape;
  const wide = (values) => ({ sizes: broadcast(shape), values });
  const flat = (values) => ({ sizes: [features], values });
  const epsilon = Float32Array.of(given.epsilon);
  const layer = {
    gamma: flat(given.gamma),
    beta: flat(given.beta),
    mean: flat(given.runningMean),
    variance: flat(given.runningVariance),
  };
  const inputs = ["x", "gamma", "beta", "mean", "variance"];
  const axes = reduced(shape);
  const row = async (name, operation, constants, nodes) => {
    const session = await ort.InferenceSession.create(model(sizes, constants, nodes));
    const call = async () => (await session.run({ x: new ort.Tensor("float32", data, sizes) })).y.data;
    return { name: `onnxruntime-web ${name}`, operation, session, call };
  };
  return [
    await row("BatchNormalization", "infer", layer, [["BatchNormalization", inputs, ["y"], { epsilon }]]),
    await row("Mul + Add", "infer", { scale: wide(factors.scale), shift: wide(factors.shift) }, [
      ["Mul", ["x", "scale"], ["scaled"]],
      ["Add", ["scaled", "shift"], ["y"]],
    ]),
    await row("BatchNormalization", "train", layer, [
      ["BatchNormalization", inputs, ["y", "nextMean", "nextVariance"], { epsilon, training_mode: 1 }],
    ]),
    await row(
      "ReduceMean + arithmetic",
      "train",
      { gamma: wide(given.gamma), beta: wide(given.beta), epsilon: { sizes: [1], values: epsilon } },
      [
        ["ReduceMean", ["x"], ["mean"], { axes }],
        ["Sub", ["x", "mean"], ["d"]],
        ["Mul", ["d", "d"], ["squares"]],
        ["ReduceMean", ["squares"], ["variance"], { axes }],
        ["Add", ["variance", "epsilon"], ["sum"]],
        ["Sqrt", ["sum"], ["deviation"]],
        ["Div", ["gamma", "deviation"], ["scale"]],
        ["Mul", ["d", "scale"], ["scaled"]],
        ["Add", ["scaled", "beta"], ["y"]],
      ],
    ),
  ];
}
