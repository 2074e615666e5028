// What a backend must do: the steps reduce, fold and apply, on the arrays of one call. Nouns say which steps run; a
// backend only runs them.

import type { Layout } from "./layout.js";
import type { Lists } from "./lists.js";
import type { PixelTable } from "./pixel-map.js";

/** Per feature the mean and m2 = Σ(x − mean)² of `count` values, so that variance = m2/count. */
export interface Statistics {
  count: number;
  readonly mean: Float64Array<ArrayBuffer>;
  readonly m2: Float64Array<ArrayBuffer>;
}

/** Per feature the smallest and the largest value; +∞ and −∞ where there is none. */
export interface Bounds {
  readonly min: Float64Array<ArrayBuffer>;
  readonly max: Float64Array<ArrayBuffer>;
}

/** Per feature, what the loss gains as gamma and beta grow: Σdy·(x − mean)/√(variance + epsilon), and Σdy. */
export interface Gradients {
  readonly dGamma: Float64Array<ArrayBuffer>;
  readonly dBeta: Float64Array<ArrayBuffer>;
}

/** What is folded with statistics into y = (x − mean)·gamma/√(variance + epsilon) + beta. */
export interface Norm {
  readonly gamma: Float32Array<ArrayBuffer> | null;
  readonly beta: Float32Array<ArrayBuffer> | null;
  readonly epsilon: number;
}

/** y = (x − center)·scale + shift per feature. */
export interface Coefficients {
  readonly center: Float64Array<ArrayBuffer>;
  readonly scale: Float64Array<ArrayBuffer>;
  readonly shift: Float64Array<ArrayBuffer>;
}

/** Writes the table of features first … first + width of a map to linear memory. Returns whether float32 holds it. */
export type Packed = (first: number, width: number, table: number) => boolean;

/** A map, to be packed. */
export interface Mapping {
  /** How many; the map may be one that is not made before it is looked into. */
  readonly features: number;
  /** What steps in float64 compute. */
  readonly map: Coefficients;
  /** What packs it for steps in float32, where they compute another one. */
  readonly packed?: Packed | undefined;
}

/** A map that stands packed. */
export interface Table extends Mapping {
  /** Where linear memory holds it packed, `copies` times over; 0 where it does not, or float32 does not hold it. */
  readonly pointer: number;
  readonly copies: number;
  free(): void;
}

/** Memory for what statistics and parameters are folded to: while they are the same, so is the map. */
export interface Kept {
  readonly pointer: number;
  /** Whether float32 holds the map; undefined before the first one. */
  held: boolean | undefined;
  free(): void;
}

/**
 * What is applied: a map, which is packed first unless it is a table, or statistics and parameters, which are folded first
 * unless they are those that were `kept`.
 */
export type Folded =
  | Mapping
  | Table
  | { readonly statistics: Statistics; readonly norm: Norm; readonly kept?: Kept | undefined };

/** What follows the affine step: y = min(max(y + residual, low), high). */
export interface After {
  readonly low: number;
  readonly high: number;
}

/** Nothing follows. */
export const NONE: After = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Memory of one tensor. */
export interface Block {
  /** Where it begins and ends in linear memory; both 0 where it does not stand there. */
  readonly pointer: number;
  readonly end: number;
  /** A view of the values where they are now: a growth moves them. */
  readonly values: Float32Array<ArrayBuffer>;
  free(): void;
}

/** Where a call's values are: in an array of the caller's, in lists, or in a block. */
export type Values = Float32Array | Float64Array | Lists | Block;

/** Values where they are now. */
export type View = Float32Array | Float64Array;

/** No values. */
export const NOTHING = /* @__PURE__ */ new Float32Array();

/** Of lists, a copy. */
export function viewOf(values: Float32Array | Block): Float32Array;
export function viewOf(values: Values): View;
export function viewOf(values: Values): View {
  return ArrayBuffer.isView(values) ? values : values.values;
}

/** The arrays of one call, and the steps on them: what one step has copied, the next one finds. */
export interface Pass {
  /** reduce: x → statistics. */
  moments(layout: Layout, into: Statistics): void;
  /** reduce, with two inputs: x and dy, which is `beside` it; x was normalized by the statistics. */
  gradients(layout: Layout, statistics: Statistics, norm: Norm, into: Gradients): void;
  /** fold and apply: y = the map of x, then what is `beside` x added, then clamped. */
  apply(layout: Layout, map: Folded, after: After): void;
  /** fold and apply, with two inputs: y = dx, by the gradients of the whole batch, each times gamma. */
  slope(layout: Layout, statistics: Statistics, norm: Norm, weighted: Gradients): void;
  /** Lets go of the arrays. */
  close(): void;
}

export interface Backend {
  /** `"wasm"` steps in float32, `"javascript"` in float64, rounding the result, `"double"` without rounding it. */
  readonly name: "wasm" | "javascript" | "double";
  /** Zeroed memory for `length` values. */
  allocate(length: number): Block;
  /** A map that is packed once and applied many times. */
  table(mapping: Mapping): Table;
  /** Memory for a map that is folded, with the same `epsilon` and count, whenever it is applied. */
  keep(features: number): Kept;
  /** fold and apply, as a call of their own; see `Pass`. */
  map(x: Values, y: Values, beside: Values | null, layout: Layout, map: Folded, after: After): void;
  /** The pass of a call. y may be x or what is beside it; null where nothing is written, or nothing is beside. */
  open(x: Values, y: Values | null, beside: Values | null): Pass;
}

/** Runs steps on a backend, which lets go of the values afterwards. */
export function runOn<Result>(
  backend: Backend,
  x: Values,
  y: Values | null,
  beside: Values | null,
  steps: (pass: Pass) => Result,
): Result {
  const pass = backend.open(x, y, beside);
  try {
    return steps(pass);
  } finally {
    pass.close();
  }
}

// -------------------------------------------------------------------------------- statistics

/** Per feature the mean and m2 = Σ(x − mean)² of `count` values; all 0 where there is none. */
export interface Present {
  readonly count: Float64Array<ArrayBuffer>;
  readonly mean: Float64Array<ArrayBuffer>;
  readonly m2: Float64Array<ArrayBuffer>;
}

/** Per feature the smallest and the largest of `count` values. */
export interface Ends extends Bounds {
  readonly count: Float64Array<ArrayBuffer>;
}

/** What becomes what, per feature: min → low and max → high, min ≤ max and low < high. */
export interface Span extends Bounds {
  readonly low: number;
  readonly high: number;
  /** Below this, max − min counts as 0 and the feature as constant. */
  readonly constant: number;
}

/** The same sentence's reductions in float64, whatever the values are: a contract apart, so that layers need not ship it. */
export interface StatisticsSteps {
  /** reduce: x → moments. With `skip` NaN is left out. */
  moments(x: Values, layout: Layout, skip: boolean, into: Present): void;
  /** reduce: x → extrema, NaN left out. */
  extrema(x: Values, layout: Layout, into: Ends): void;
}

/** fold: extrema → the lines of min-max scaling for steps in float32. */
export interface LineSteps {
  lines(span: Span, ...at: Parameters<Packed>): boolean;
}

// ------------------------------------------------------------------------------------ images

/** 8-bit pixels: red, green, blue, and alpha where they have 4 bytes. */
export interface Pixels {
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly bytes: 3 | 4;
  /** How many there are. */
  readonly count: number;
}

/** How the values of an image stand. */
export interface Order {
  readonly channels: "RGB" | "BGR" | "gray";
  readonly layout: "NCHW" | "NHWC";
}

/** The same sentence for 8-bit pixels, image by image: a contract apart, so that layers need not ship it. */
export interface ImageSteps {
  /** reduce: Σv and Σv² per channel, [Σr Σg Σb – Σr² Σg² Σb² –], of gray [Σ Σ²]: integers. */
  sums(pixels: Pixels, gray: boolean): Float64Array;
  /** apply: the values from `first` on = the map of the pixels. */
  apply(pixels: Pixels, order: Order, table: PixelTable, y: Float32Array | Block, first: number): void;
  /** apply, backwards: opaque RGBA = the values from `first` on, mapped back. */
  inverse(x: Float32Array | Block, first: number, order: Order, table: PixelTable, pixels: Pixels): void;
}

// -------------------------------------------------------------------------------------- rows

/** What rows are normalized by: each row's mean, unless it is not `centered`, and parameters per feature. */
export interface RowNorm extends Norm {
  readonly features: number;
  /** Whether the mean is subtracted (LayerNorm), or taken for 0 (RMSNorm, which has no beta). */
  readonly centered: boolean;
}

/** float32 values of a call on rows. */
export type Rows = Float32Array | Block;

/** The sentence for rows, each of which is reduced, folded and applied at once: a contract apart, as for images. */
export interface RowSteps {
  /** y = the norm of x, or of x + skip, which `sum` receives unless it is null. y and sum may be x or skip. */
  apply(norm: RowNorm, x: Rows, y: Rows, skip: Rows | null, sum: Rows | null): void;
  /** dx, which may be x or dy; adds to the gradients. */
  backward(norm: RowNorm, x: Rows, dy: Rows, dx: Rows, into: Gradients): void;
}
