// Folding a map into the linear layer or convolution next to it, in float64, rounded once.

import {
  checkOptions,
  inUse,
  isFloat32Array,
  isList,
  numberIn,
  numbers,
  oneOf,
  positiveInteger,
  show,
  wrongKind,
  wrongValue,
} from "./argument.js";
import type { Coefficients } from "./backend.js";
import { checkShape, product } from "./layout.js";

/** A linear layer or a convolution, as frameworks hold it. */
export interface LayerWeights {
  /** Row-major, in the order that the option `layout` says. */
  weight: Float32Array;
  /** One number for each output; null or absent: zeros. */
  bias?: ArrayLike<number> | null | undefined;
}

/** A layer that includes the map: in new arrays. */
export interface FoldedLayer {
  /** As long as the layer's, and in its order. */
  weight: Float32Array<ArrayBuffer>;
  /** One number for each output. */
  bias: Float32Array<ArrayBuffer>;
}

/** How a linear layer's weights lie, and where the map is. */
export interface FoldLinearOptions {
  /** The order of the weights: outputs × inputs (PyTorch), or inputs × outputs (Keras). */
  layout: "OI" | "IO";
  /** Whether the map comes after the layer or before it. Default: "after". */
  order?: "after" | "before" | undefined;
}

/**
 * The axes of space, one to three of them.
 *
 * @inline
 */
type Space = "W" | "HW" | "DHW";

/**
 * The order of a convolution's weights, from the slowest axis to the fastest: O outputs, I inputs, and the
 * axes of space. With g groups:
 *
 *     "OIHW"  [O, I/g, H, W]   PyTorch, ONNX; depthwise too
 *     "HWIO"  [H, W, I/g, O]   Keras, TensorFlow.js
 *     "OHWI"  [O, H, W, I/g]   TensorFlow Lite
 *     "IHWO"  [I/g, H, W, O]   TensorFlow Lite, depthwise
 *     "HWIM"  [H, W, I, M]     Keras, depthwise: M outputs for each input
 *     "IOHW"  [I, O/g, H, W]   PyTorch, ONNX, transposed
 *     "HWOI"  [H, W, O/g, I]   Keras, transposed
 */
export type ConvLayout =
  | `OI${Space}`
  | `${Space}IO`
  | `O${Space}I`
  | `I${Space}O`
  | `${Space}IM`
  | `IO${Space}`
  | `${Space}OI`;

/** How a convolution's weights lie, and where the map is. */
export interface FoldConvOptions {
  /** The order of the weights, `"OIHW"` in PyTorch, `"HWIO"` in Keras: see `ConvLayout`. */
  layout: ConvLayout;
  /**
   * Sizes of the weight, one for each letter of `layout`. Needed where nothing else tells them: for a
   * transposed convolution, and with `order: "before"` for a convolution that has no bias.
   */
  shape?: readonly number[] | undefined;
  /** How many groups the channels are divided into. Default: 1, with "HWIM" the number of inputs. With a `shape`, forgetting it is found out. */
  groups?: number | undefined;
  /** Whether the map comes after the convolution or before it. Default: "after". */
  order?: "after" | "before" | undefined;
  /**
   * How many zeros are around the input: a number, one for each axis or side, or "valid" or "same". Needed
   * with `order: "before"`, where anything but none is refused.
   */
  padding?: number | readonly number[] | "valid" | "same" | undefined;
}

/** The layer's own arrays; the bias is a copy in float64. */
interface Parts {
  readonly weight: Float32Array;
  readonly bias: Float64Array | null;
}

interface Convolution extends Parts {
  readonly layout: string;
  readonly groups: number | undefined;
  readonly before: boolean;
  /** Of the map: the inputs if it comes before, else the outputs. */
  readonly features: number;
}

/** An axis in memory: groups, the outputs or the inputs of one group, all of space. */
type Axis = "G" | "O" | "I" | "S";

/** How weights lie in memory: the axes from the slowest to the fastest, and their sizes. */
interface Order {
  readonly axes: readonly Axis[];
  readonly sizes: Readonly<Record<Axis, number>>;
}

/** All outputs, all inputs, and how many groups both are divided into. */
interface Channels {
  readonly outputs: number;
  readonly inputs: number;
  readonly groups: number;
}

/** The axes of each layout, for any space. Groups are part of the letter that counts across them. */
const AXES = new Map<string, readonly Axis[]>([
  ["OIS", ["G", "O", "I", "S"]],
  ["SIO", ["S", "I", "G", "O"]],
  ["OSI", ["G", "O", "S", "I"]],
  ["ISO", ["I", "S", "G", "O"]],
  ["SIM", ["S", "G", "I", "O"]],
  ["IOS", ["G", "I", "O", "S"]],
  ["SOI", ["S", "O", "G", "I"]],
]);

const isDepthwise = (layout: string) => layout.endsWith("M");
const isTransposed = (layout: string) => layout.startsWith("IO") || layout.endsWith("OI");

export function foldLinear(map: Coefficients, layer: LayerWeights, options: FoldLinearOptions): FoldedLayer {
  checkOptions(options, ["layout", "order"]);
  const { layout, order } = options ?? {};
  const axes: Axis[] = oneOf("layout", layout, ["OI", "IO"]) === "OI" ? ["O", "I"] : ["I", "O"];
  const before = isBefore(order);
  const parts = partsOf(layer);
  const features = map.scale.length;
  checkMultiple(parts.weight, features);
  const others = parts.weight.length / features;
  const [O, I] = before ? [others, features] : [features, others];
  return (before ? foldBefore : foldAfter)(map, parts, { axes, sizes: { G: 1, O, I, S: 1 } });
}

export function foldConv(map: Coefficients, layer: LayerWeights, options: FoldConvOptions): FoldedLayer {
  checkOptions(options, ["layout", "shape", "groups", "order", "padding"]);
  const { layout, shape, groups, order, padding } = options ?? {};
  const axes = axesOf(layout);
  if (groups !== undefined) positiveInteger("groups", groups);
  const before = isBefore(order);
  if (before && isTransposed(layout)) {
    const expected =
      '"after" for a transposed convolution, because no bias makes up for a map in front of it';
    throw wrongValue("order", expected, order);
  }
  const padded = padding === undefined ? undefined : isPadded(padding, layout.length - 2);
  if (before && padded !== false) {
    const expected = '0 or "valid" in front of a convolution, because padded zeros do not pass the map';
    throw (padded ? wrongValue : wrongKind)("padding", expected, padding);
  }
  const parts = partsOf(layer);
  const convolution = { ...parts, layout, groups, before, features: map.scale.length };
  const channels =
    shape === undefined ? derivedChannels(convolution) : givenChannels(convolution, checkShape(shape));
  const sizes = sizesOf(convolution, channels);
  return (before ? foldBefore : foldAfter)(map, parts, { axes, sizes });
}

/** W′[o, i] = W[o, i]·scale[o], bias′[o] = (bias[o] − center[o])·scale[o] + shift[o]. */
function foldAfter(map: Coefficients, { weight, bias }: Parts, order: Order): FoldedLayer {
  const { center, scale, shift } = map;
  const old = biasOf(bias, scale.length);
  const folded = new Float32Array(weight.length);
  eachWeight(order, (at, output) => {
    folded[at] = weight[at] * scale[output];
  });
  return {
    weight: folded,
    bias: Float32Array.from(scale, (s, o) => (old[o] - center[o]) * s + shift[o]),
  };
}

/** W′[o, i] = W[o, i]·scale[i], bias′[o] = bias[o] + Σᵢ W[o, i]·(shift[i] − center[i]·scale[i]). */
function foldBefore(map: Coefficients, { weight, bias }: Parts, order: Order): FoldedLayer {
  const { center, scale, shift } = map;
  const sums = biasOf(bias, order.sizes.G * order.sizes.O);
  const folded = new Float32Array(weight.length);
  eachWeight(order, (at, output, input) => {
    folded[at] = weight[at] * scale[input];
    sums[output] += weight[at] * (shift[input] - center[input] * scale[input]);
  });
  return { weight: folded, bias: Float32Array.from(sums) };
}

/** Calls back with the place, the output and the input of every weight. */
function eachWeight(
  { axes, sizes }: Order,
  visit: (at: number, output: number, input: number) => void,
): void {
  const stride = { G: 0, O: 0, I: 0, S: 0 };
  let length = 1;
  for (const axis of [...axes].reverse()) {
    stride[axis] = length;
    length *= sizes[axis];
  }
  const { G, O, I, S } = sizes;
  for (let g = 0; g < G; g++) {
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < I; i++) {
        const first = g * stride.G + o * stride.O + i * stride.I;
        for (let s = 0; s < S; s++) visit(first + s * stride.S, g * O + o, g * I + i);
      }
    }
  }
}

/** What a shape says of the channels. */
function givenChannels(convolution: Convolution, shape: readonly number[]): Channels {
  const { layout, groups, before, features, weight } = convolution;
  if (shape.length !== layout.length || product(shape, 0, shape.length) !== weight.length) {
    const expected = `${layout.length} sizes whose product is the weight's length ${weight.length}`;
    throw wrongValue("shape", expected, shape);
  }
  const inputs = shape[layout.indexOf("I")];
  const outputs = shape[layout.search(/[OM]/)];
  const divided = groups ?? (isDepthwise(layout) ? inputs : 1);
  const channels =
    isDepthwise(layout) || isTransposed(layout)
      ? { inputs, outputs: outputs * divided, groups: divided }
      : { inputs: inputs * divided, outputs, groups: divided };
  const own = before ? channels.inputs : channels.outputs;
  if (own !== features) {
    const expected = `${features} ${before ? "inputs" : "outputs"}, as many as the map has features`;
    throw wrongValue("shape", expected, `${own} in ${show(shape)}`);
  }
  return channels;
}

/** What the map and the bias say of the channels, without a shape. */
function derivedChannels({ layout, groups, before, features, bias }: Convolution): Channels {
  const divided = groups ?? (isDepthwise(layout) ? features : 1);
  if (before && bias !== null) return { inputs: features, outputs: bias.length, groups: divided };
  // Outputs are one axis, the first or the last: how much of the rest is inputs does not matter behind them.
  if (!before && !isTransposed(layout)) return { inputs: divided, outputs: features, groups: divided };
  const unknown = before
    ? "the number of outputs where there is no bias"
    : "those of a transposed convolution";
  throw wrongKind("shape", `the sizes of the weight, because nothing else tells ${unknown}`, undefined);
}

function sizesOf({ layout, weight }: Convolution, { inputs, outputs, groups }: Channels): Order["sizes"] {
  if (isDepthwise(layout) && groups !== inputs) {
    throw wrongValue("groups", `${inputs}, one for each input of "${layout}"`, groups);
  }
  if (outputs % groups !== 0) throw wrongValue("groups", `a divisor of ${outputs} outputs`, groups);
  if (inputs % groups !== 0) throw wrongValue("groups", `a divisor of ${inputs} inputs`, groups);
  const channels = (inputs * outputs) / groups;
  checkMultiple(weight, channels);
  return { G: groups, O: outputs / groups, I: inputs / groups, S: weight.length / channels };
}

function axesOf(layout: unknown): readonly Axis[] {
  const expected = '"OIHW", "HWIO", "OHWI", "IHWO", "HWIM", "IOHW" or "HWOI", or one of them with W or DHW';
  if (typeof layout !== "string") throw wrongKind("layout", expected, layout);
  const axes = layout.includes("W") ? AXES.get(layout.replace(/(D?H)?W/, "S")) : undefined;
  if (axes === undefined) throw wrongValue("layout", expected, layout);
  return axes;
}

function isBefore(order: unknown): boolean {
  return order !== undefined && oneOf("order", order, ["after", "before"]) === "before";
}

/** Whether a padding adds zeros. */
function isPadded(padding: unknown, dimensions: number): boolean {
  if (padding === "valid" || padding === "same") return padding === "same";
  const expected = 'non-negative integers, "valid" or "same"';
  const sizes = Array.from<unknown, number>(Array.isArray(padding) ? padding : [padding], (size) =>
    numberIn("padding", size, expected, (n) => Number.isSafeInteger(n) && n >= 0),
  );
  if (Array.isArray(padding) && sizes.length !== dimensions && sizes.length !== 2 * dimensions) {
    throw wrongValue("padding", `${dimensions} numbers, one for each axis, or ${2 * dimensions}`, sizes);
  }
  return sizes.some((size) => size !== 0);
}

/** The layer's arrays, each read once. */
function partsOf(layer: unknown): Parts {
  const expected = "an object { weight, bias }";
  if (layer === null || typeof layer !== "object" || isList(layer)) {
    throw wrongKind("layer", expected, layer);
  }
  const { weight, bias }: Partial<Record<keyof Parts, unknown>> = layer;
  if (!isFloat32Array(weight)) throw wrongKind("weight", "a Float32Array", weight);
  const own = inUse("weight", weight);
  if (bias === null || bias === undefined) return { weight: own, bias: null };
  if (!isList(bias)) throw wrongKind("bias", "an array of numbers, one for each output", bias);
  return { weight: own, bias: Float64Array.from(numbers("bias", bias)) };
}

function checkMultiple(weight: Float32Array, divisor: number): void {
  if (weight.length === 0 || weight.length % divisor !== 0) {
    throw wrongValue("weight", `a length that is a positive multiple of ${divisor}`, weight.length);
  }
}

/** The bias, or zeros where there is none. */
function biasOf(bias: Float64Array | null, outputs: number): Float64Array {
  if (bias !== null && bias.length !== outputs) {
    throw wrongValue("bias", `an array of ${outputs} numbers, one for each output`, `length ${bias.length}`);
  }
  return bias ?? new Float64Array(outputs);
}
