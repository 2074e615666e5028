// A batch norm that PyTorch has trained, from its state dict, on images in NCHW.

import { BatchNorm, Tensor } from "simdnorm";
import { worst } from "./worst.js";

// As readers of safetensors files return it.
const state = {
  "stem.conv.weight": { dtype: "F32", shape: [3, 3, 1, 1], data: new Float32Array(9) },
  "stem.bn.weight": { dtype: "F32", shape: [3], data: Float32Array.of(0.9, 1.1, 0.5) },
  "stem.bn.bias": { dtype: "F32", shape: [3], data: Float32Array.of(0.1, -0.2, 0) },
  "stem.bn.running_mean": { dtype: "F32", shape: [3], data: Float32Array.of(0.48, 0.46, 0.41) },
  "stem.bn.running_var": { dtype: "F32", shape: [3], data: Float32Array.of(0.05, 0.04, 0.06) },
  "stem.bn.num_batches_tracked": { dtype: "I64", shape: [], data: BigInt64Array.of(120n) },
};
const bn = BatchNorm.fromPyTorch(state, { prefix: "stem.bn" });

const shape = [2, 3, 8, 8];
const images = Float32Array.from({ length: 2 * 3 * 8 * 8 }, (_, i) => ((i * 31) % 256) / 255);
const y = bn.infer(images, { shape, activation: "relu" });

using tensor = new Tensor(shape, images);
bn.infer(tensor, { out: tensor, activation: "relu" });

// y = max((x − mean)/√(variance + epsilon)·gamma + beta, 0), with the statistics of the pixel's channel.
const expected = Array.from(images, (x, i) => {
  const channel = Math.floor(i / 64) % 3;
  const of = (name: "weight" | "bias" | "running_mean" | "running_var") =>
    state[`stem.bn.${name}`].data[channel]!;
  const normalized = (x - of("running_mean")) / Math.sqrt(of("running_var") + 1e-5);
  return Math.max(normalized * of("weight") + of("bias"), 0);
});
// Inference is within 5 units of 2⁻²⁴ of the largest of its terms, which are at most 4 here.
const difference = worst(y, expected, 5 * 2 ** -24 * 4);
worst(tensor.data, y, 0);
console.log(
  `pytorch: ${bn.batchesTracked} batches trained, ${shape.join("×")} within ${difference} of the formula`,
);
