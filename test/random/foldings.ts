// Random layers beside random maps: the two folded into one, against the convolution and the map in float64.

import fc from "fast-check";
import { Affine, type ConvLayout } from "simdnorm";
import { expect } from "vitest";
import { type Convolution, convolve, type Space, weightOf } from "../convolution.js";
import { normal, parameters } from "../data.js";
import { u, worst } from "../reference.js";

const LINEAR = ["OI", "IO"] as const;

/** Linear layers, and every convolution of one, two and three dimensions. */
export const LAYOUTS: readonly (ConvLayout | (typeof LINEAR)[number])[] = [
  ...LINEAR,
  ...(["OIW", "WIO", "OWI", "IWO", "WIM", "IOW", "WOI"] as const),
  ...(["OIHW", "HWIO", "OHWI", "IHWO", "HWIM", "IOHW", "HWOI"] as const),
  ...(["OIDHW", "DHWIO", "ODHWI", "IDHWO", "DHWIM", "IODHW", "DHWOI"] as const),
];

export interface FoldingCase {
  readonly layout: (typeof LAYOUTS)[number];
  readonly order: "after" | "before";
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Space;
  /** What the input is larger by than the kernel. */
  readonly more: Space;
  readonly stride: Space;
  readonly padding: Space;
  readonly bias: "Float32Array" | "numbers" | "null" | "absent";
  readonly shaped: boolean;
  readonly seed: number;
  /** Where in its buffer the weight begins. */
  readonly offset: number;
}

function draws(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, normal(seed));
}

export function mapOf(features: number, seed = features): Affine {
  const { gamma, beta, mean, variance } = parameters(features);
  return new Affine(features, {
    center: mean,
    scale: gamma.map((g) => g * seed),
    shift: beta.map((b, j) => b + variance[j]),
  });
}

/** The map in float64. */
function apply(map: Affine, j: number, x: number): number {
  return (x - map.center[j]) * map.scale[j] + map.shift[j];
}

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);

/** The layer of a case; a linear layer is a convolution without space. */
function layerOf({ layout, groups, kernel, seed, ...c }: FoldingCase) {
  const dimensions = layout.length - 2;
  const inSpace = ([d, h, w]: readonly number[], none: number): Space => [
    dimensions < 3 ? none : d,
    dimensions < 2 ? none : h,
    dimensions < 1 ? none : w,
  ];
  const transposed = dimensions > 0 && (layout.startsWith("IO") || layout.endsWith("OI"));
  const depthwise = layout.endsWith("M");
  // No bias makes up for a map in front of a transposed convolution.
  const before = c.order === "before" && !transposed;
  const divided = dimensions === 0 ? 1 : groups;
  const convolution: Convolution = {
    transposed,
    groups: divided,
    inputs: divided * (depthwise ? 1 : c.inputs),
    outputs: divided * c.outputs,
    kernel: inSpace(kernel, 1),
    stride: inSpace(c.stride, 1),
    padding: inSpace(before ? [0, 0, 0] : c.padding.map((p, d) => Math.min(p, kernel[d] - 1)), 0),
  };
  const { shape, at } = weightOf(layout, convolution);
  const values = draws(convolution.outputs, seed);
  const bias = { Float32Array: values, numbers: Array.from(values), null: null, absent: undefined }[c.bias];
  const size = inSpace(
    kernel.map((k, d) => k + c.more[d]),
    1,
  );
  return {
    before,
    convolution,
    shape: c.shaped || transposed || (before && !bias) ? shape : undefined,
    groups: depthwise || divided === 1 ? undefined : divided,
    weight: draws(product(shape), seed + 1),
    bias,
    x: draws(convolution.inputs * product(size), seed + 2),
    map: mapOf(before ? convolution.inputs : convolution.outputs, (seed % 7) - 3),
    run: (x: ArrayLike<number>, weight: ArrayLike<number>, b: ArrayLike<number>) =>
      convolve(x, size, convolution, (o, i, k) => weight[at(o, i, k)], b),
  };
}

/**
 * A folded layer sums the products of the layer and the map, its weights and its bias rounded once: where
 * the magnitudes of all terms sum to m, the two differ by at most u·m. What the float64 of the test adds in
 * at most 90 steps on either side is below 2⁻⁴⁴·m.
 */
const BOUND = u + 2 ** -44;

function foldingOf(c: FoldingCase) {
  const { before, shape, groups, weight, bias: given, x, map, run } = layerOf(c);
  const { layout, offset } = c;
  const order = before ? "before" : c.order === "after" ? undefined : "after";
  const all = new Float32Array(offset + weight.length + 1).fill(12345);
  all.set(weight, offset);
  const kept = [all.slice(), Array.from(given ?? [])];
  const layer = { weight: all.subarray(offset, offset + weight.length), bias: given };
  const folded =
    layout === "OI" || layout === "IO"
      ? map.foldIntoLinear(layer, { layout, order })
      : map.foldIntoConv(layer, { layout, shape, groups, order, padding: before ? 0 : undefined });
  const y = run(x, folded.weight, folded.bias);

  const bias = given ?? new Float32Array(folded.bias.length);
  const each = (values: ArrayLike<number>, f: (value: number, j: number) => number) =>
    Array.from(values, (value, n) => f(value, Math.floor((n * map.features) / values.length)));
  const mapped = (values: ArrayLike<number>) => each(values, (value, j) => apply(map, j, value));
  const exact = before ? run(mapped(x), weight, bias) : mapped(run(x, weight, bias));

  const { center, scale, shift } = map;
  const terms = (values: ArrayLike<number>) =>
    each(values, (v, j) => (v + Math.abs(center[j])) * Math.abs(scale[j]) + Math.abs(shift[j]));
  const sums = (values: ArrayLike<number>) => run(values, weight.map(Math.abs), Array.from(bias, Math.abs));
  const m = before ? sums(terms(x.map(Math.abs))) : terms(sums(x.map(Math.abs)));
  expect(worst(y, exact, (_, n) => BOUND * m[n]).ratio).toBeLessThanOrEqual(1);
  const intact = [all, Array.from(given ?? [])].every((values, i) =>
    values.every((value, k) => value === kept[i][k]),
  );
  return { results: [folded.weight, folded.bias], intact };
}

/** The case, and the same with the weight elsewhere. */
export function runFolding(c: FoldingCase) {
  const { results, intact } = foldingOf(c);
  const again = foldingOf({ ...c, offset: (c.offset + 1) % 8 });
  return { results, again: again.results, intact: intact && again.intact };
}

const three = (min: number, max: number) => {
  const one = fc.integer({ min, max });
  return fc.tuple(one, one, one);
};

/** Layers of these layouts. */
export const foldingCases = (...layouts: FoldingCase["layout"][]): fc.Arbitrary<FoldingCase> =>
  fc.record({
    layout: fc.constantFrom(...layouts),
    order: fc.constantFrom("after", "before"),
    groups: fc.integer({ min: 1, max: 3 }),
    inputs: fc.integer({ min: 1, max: 3 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    kernel: three(1, 3),
    more: three(0, 2),
    stride: three(1, 2),
    padding: three(0, 1),
    bias: fc.constantFrom("Float32Array", "numbers", "null", "absent"),
    shaped: fc.boolean(),
    seed: fc.nat({ max: 1e6 }),
    offset: fc.integer({ min: 0, max: 7 }),
  });
