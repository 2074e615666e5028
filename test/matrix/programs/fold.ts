// A trained layer is frozen and folded into the convolution in front of it, which then does the work of both.

import { BatchNorm } from "simdnorm";
import { worst } from "./worst.js";

const [inputs, outputs, size] = [3, 4, 8];

/** A 3 × 3 convolution of one image in CHW, with a border of zeros. */
function convolve(image: Float32Array, weight: Float32Array, bias: Float32Array): Float32Array {
  return Float32Array.from({ length: outputs * size * size }, (_, at) => {
    const [o, row, column] = [Math.floor(at / size / size), Math.floor(at / size) % size, at % size];
    let sum = bias[o]!;
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < 9; k++) {
        const [y, x] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
        if (y < 0 || y >= size || x < 0 || x >= size) continue;
        sum += weight[(o * inputs + i) * 9 + k]! * image[(i * size + y) * size + x]!;
      }
    }
    return sum;
  });
}

const image = Float32Array.from({ length: inputs * size * size }, (_, i) => Math.sin(i * 1.7));
const weight = Float32Array.from({ length: outputs * inputs * 9 }, (_, i) => Math.cos(i * 2.3) / 3);
const bias = Float32Array.of(0.1, 0, -0.1, 0.2);
const shape = [1, outputs, size, size];

const bn = new BatchNorm(outputs, { axis: 1, gamma: [0.5, 1, 1.5, 2], beta: [0, 0.1, 0.2, 0.3] });
for (let batch = 0; batch < 20; batch++) bn.train(convolve(image, weight, bias), { shape });

const two = bn.infer(convolve(image, weight, bias), { shape });
const frozen = bn.fold();
const folded = frozen.foldIntoConv({ weight, bias }, { layout: "OIHW" });
const one = convolve(image, folded.weight, folded.bias);

// W′ = W·scale and bias′ = (bias − center)·scale + shift, each rounded once to float32: by 2⁻²⁴ of its size.
const { center, scale, shift } = frozen;
const rounding = (value: number) => 2 ** -24 * Math.abs(value);
worst(
  folded.weight,
  Array.from(weight, (value, i) => value * scale[Math.floor(i / inputs / 9)]!),
  rounding,
);
worst(
  folded.bias,
  Array.from(bias, (value, o) => (value - center[o]!) * scale[o]! + shift[o]!),
  rounding,
);
// A result is a sum of 28 products with these, and rounded twice itself; all of them are below 4.
const difference = worst(one, two, 30 * 2 ** -24 * 4);
console.log(`fold: conv, then batch norm, as one convolution: within ${difference} of the two`);
