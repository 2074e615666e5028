// Convolutions in float64, written like the formula, and where frameworks keep their weights.

/** Depth, height and width; a convolution of fewer dimensions has 1 for the others. */
export type Space = readonly [number, number, number];

export interface Convolution {
  transposed: boolean;
  groups: number;
  inputs: number;
  outputs: number;
  kernel: Space;
  stride: Space;
  padding: Space;
}

type Weight = (output: number, input: number, tap: Space) => number;

/**
 * The inputs i of o's group and the taps k of the kernel, at the place q of the output:
 *
 *     y[o, q] = bias[o] + Σᵢ Σₖ W[o, i, k]·x[i, p],   p = q·stride + k − padding
 *
 * and in a transposed convolution p·stride = q + padding − k, where there is such a p. Outside x are zeros.
 */
export function convolve(
  x: ArrayLike<number>,
  size: Space,
  convolution: Convolution,
  weight: Weight,
  bias: ArrayLike<number>,
): number[] {
  const { transposed, groups, inputs, outputs, kernel, stride, padding } = convolution;
  const outputSize = size.map((n, d) =>
    transposed
      ? (n - 1) * stride[d] - 2 * padding[d] + kernel[d]
      : Math.floor((n + 2 * padding[d] - kernel[d]) / stride[d]) + 1,
  );
  const y: number[] = [];
  for (let o = 0; o < outputs; o++) {
    const firstInput = Math.floor(o / (outputs / groups)) * (inputs / groups);
    for (const q of places(outputSize)) {
      let sum = bias[o];
      for (let i = firstInput; i < firstInput + inputs / groups; i++) {
        for (const k of places(kernel)) {
          const p = q.map((at, d) =>
            transposed ? (at + padding[d] - k[d]) / stride[d] : at * stride[d] + k[d] - padding[d],
          );
          if (!p.every((at, d) => Number.isInteger(at) && at >= 0 && at < size[d])) continue;
          sum += weight(o, i, k) * x[((i * size[0] + p[0]) * size[1] + p[1]) * size[2] + p[2]];
        }
      }
      y.push(sum);
    }
  }
  return y;
}

function places([depth, height, width]: readonly number[]): Space[] {
  const all: Space[] = [];
  for (let d = 0; d < depth; d++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) all.push([d, h, w]);
    }
  }
  return all;
}

/**
 * The sizes of a framework's weight by letter, and where in it a tap lies. O counts all outputs and I the
 * inputs of one group; in a transposed convolution, or where M are the outputs of each input, I counts all.
 */
export function weightOf(layout: string, { transposed, groups, inputs, outputs, kernel }: Convolution) {
  const all = transposed || layout.includes("M");
  const sizes: Record<string, number> = {
    O: transposed ? outputs / groups : outputs,
    I: all ? inputs : inputs / groups,
    M: outputs / groups,
    D: kernel[0],
    H: kernel[1],
    W: kernel[2],
  };
  const shape = [...layout].map((letter) => sizes[letter]);
  const at = (output: number, input: number, [D, H, W]: Space) => {
    const place: Record<string, number> = { O: output, I: input, M: output, D, H, W };
    return [...layout].reduce((i, letter) => i * sizes[letter] + (place[letter] % sizes[letter]), 0);
  };
  return { shape, at };
}
