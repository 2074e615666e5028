// Folding a map into the linear layer or convolution next to it, in float64, rounded once.

import { checkOptions, isFloat32Array, numbers, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import type { Coefficients } from "./backend.js";

export interface FoldLinearOptions {
  /** The order of the weights: outputs × inputs, or inputs × outputs. */
  layout: "OI" | "IO";
  /** Whether the map comes after the layer or before it. Default: "after". */
  order?: "after" | "before";
}

export interface FoldConvOptions {
  /** The order of the weights, from the slowest axis to the fastest; see `foldIntoConv`. */
  layout: string;
  /** Whether the map comes after the convolution or before it. Default: "after". */
  order?: "after" | "before";
  /** Needed before a convolution, where anything but 0 is refused. */
  padding?: number;
  /** Number of outputs: needed before a convolution that has no bias. */
  outputs?: number;
}

export interface FoldedLayer {
  weight: Float32Array;
  bias: Float32Array;
}

type Bias = ArrayLike<number> | null | undefined;

export function foldLinear(
  map: Coefficients,
  weight: Float32Array,
  bias: Bias,
  options: FoldLinearOptions,
): FoldedLayer {
  checkOptions(options, ["layout", "order"]);
  const { layout, order } = options ?? {};
  if (layout !== "OI" && layout !== "IO") throw wrongName("layout", '"OI" or "IO"', layout);
  checkWeight(weight);
  if (!isBefore(order)) return foldAfter(map, weight, bias, layout);
  return foldBefore(map, weight, bias, layout, weight.length / map.scale.length);
}

export function foldConv(
  map: Coefficients,
  weight: Float32Array,
  bias: Bias,
  options: FoldConvOptions,
): FoldedLayer {
  checkOptions(options, ["layout", "order", "padding", "outputs"]);
  const { layout, order, padding, outputs } = options ?? {};
  const expected = '"OIHW", "HWIO", "OHWI", "IHWO", "HWIM" or the like';
  if (typeof layout !== "string") throw wrongName("layout", expected, layout);
  // Space is one axis here, and M outputs for each input lie side by side, like outputs.
  const axes = layout.toUpperCase().replace(/[HWD]+/, "S");
  if (!/^(?:OIS|OSI|SIO|ISO|SIM|IMS)$/.test(axes)) throw wrongName("layout", expected, layout);
  checkWeight(weight);
  if (!isBefore(order)) return foldAfter(map, weight, bias, axes.replace("IM", "O"));
  if (padding !== 0) {
    throw wrongValue("padding", "0 before a convolution, because padded zeros do not pass the map", padding);
  }
  if (axes.includes("M")) throw wrongName("layout", 'one with an "O" before a convolution', layout);
  return foldBefore(map, weight, bias, axes, positiveInteger("outputs", outputs ?? bias?.length));
}

/** W′[o] = W[o]·scale[o], bias′[o] = (bias[o] − center[o])·scale[o] + shift[o]. */
function foldAfter(
  { center, scale, shift }: Coefficients,
  weight: Float32Array,
  bias: Bias,
  axes: string,
): FoldedLayer {
  const outputs = scale.length;
  const each = weight.length / outputs;
  checkMultiple(weight, outputs);
  const old = biasOf(bias, outputs);
  const output = axes.startsWith("O") ? (i: number) => Math.floor(i / each) : (i: number) => i % outputs;
  return {
    weight: weight.map((w, i) => w * scale[output(i)]),
    bias: Float32Array.from(scale, (s, o) => (old[o] - center[o]) * s + shift[o]),
  };
}

/** W′[o, i] = W[o, i]·scale[i], bias′[o] = bias[o] + Σᵢ W[o, i]·(shift[i] − center[i]·scale[i]). */
function foldBefore(
  { center, scale, shift }: Coefficients,
  weight: Float32Array,
  bias: Bias,
  axes: string,
  outputs: number,
): FoldedLayer {
  const inputs = scale.length;
  checkMultiple(weight, inputs);
  checkMultiple(weight, outputs * inputs);
  const sizes: Record<string, number> = { O: outputs, I: inputs, S: weight.length / (outputs * inputs) };
  const strideOf = (axis: string) =>
    [...axes.slice(axes.indexOf(axis) + 1)].reduce((stride, faster) => stride * sizes[faster], 1);
  const perOutput = strideOf("O");
  const perInput = strideOf("I");
  const sums = biasOf(bias, outputs);
  const folded = weight.map((w, i) => {
    const j = Math.floor(i / perInput) % inputs;
    sums[Math.floor(i / perOutput) % outputs] += w * (shift[j] - center[j] * scale[j]);
    return w * scale[j];
  });
  return { weight: folded, bias: Float32Array.from(sums) };
}

function isBefore(order: unknown): boolean {
  if (order === undefined || order === "after") return false;
  if (order === "before") return true;
  throw wrongName("order", '"after" or "before"', order);
}

function wrongName(name: string, expected: string, got: unknown): Error {
  return (typeof got === "string" ? wrongValue : wrongKind)(name, expected, got);
}

function checkWeight(weight: unknown): void {
  if (!isFloat32Array(weight)) throw wrongKind("weight", "a Float32Array", weight);
}

function checkMultiple(weight: Float32Array, divisor: number): void {
  if (weight.length === 0 || weight.length % divisor !== 0) {
    throw wrongValue("weight", `a length that is a positive multiple of ${divisor}`, weight.length);
  }
}

/** A copy of the bias, in float64; zeros if there is none. */
function biasOf(bias: Bias, outputs: number): Float64Array {
  if (bias === null || bias === undefined) return new Float64Array(outputs);
  const expected = `an array of ${outputs} numbers, one for each output`;
  if (!Array.isArray(bias) && !ArrayBuffer.isView(bias)) throw wrongKind("bias", expected, bias);
  if (bias.length !== outputs) throw wrongValue("bias", expected, `length ${bias.length}`);
  return Float64Array.from(numbers("bias", bias));
}
