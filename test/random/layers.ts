// Random calls of every layer and map, against the formulas in float64: any layout, values, place of the arrays, in
// place and out of place.

import fc from "fast-check";
import {
  Affine,
  BatchNorm,
  type Data,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  Moments,
  RMSNorm,
  scope,
  Tensor,
} from "simdnorm";
import { kinds, make, parameters, uniform } from "../data.js";
import { bounds } from "../gradient-bounds.js";
import {
  eachOfGroups,
  eachValue,
  type GroupSizes,
  groupGradients,
  inferenceBound,
  layerHat,
  moments,
  normalize,
  rootHat,
  rowGradients,
  type Sizes,
  u,
} from "../reference.js";
import { moved, near, type Place, type Put, place, put, saved, valuesOf } from "./places.js";

export interface LayerCase {
  readonly operation: keyof typeof operations;
  /** Values of all rows of an image's feature stand apart: [images, rows, features, inner]. */
  readonly images: number;
  readonly rows: number;
  readonly features: number;
  readonly inner: number;
  /** Of group norms: taken where it divides. */
  readonly groups: number;
  readonly kind: string;
  readonly slopes: string;
  readonly seed: number;
  readonly odd: "none" | "NaN" | "infinity";
  readonly places: readonly [x: Place, beside: Place, out: Place];
  readonly inPlace: boolean;
  readonly activation: "relu" | "relu6" | undefined;
  readonly epsilon: number;
  /** Whether layers and maps are saved and read, or come with another framework's names where it has them. */
  readonly origin: (typeof ORIGINS)[number];
}

const ORIGINS = ["new", "new", "saved", "saved", "PyTorch", "Keras", "ONNX"] as const;

/** What one call works on. */
interface Run {
  readonly c: LayerCase;
  /** What batch norms see. */
  readonly sizes: Sizes;
  readonly shape: number[];
  readonly axis: number;
  readonly x: Float32Array;
  readonly beside: Float32Array;
  readonly given: readonly [x: Put, beside: Put];
  /** What options are given for the result. */
  readonly out: Put | undefined;
}

type Results = ArrayLike<number>[];

/** Overloads are for users: here x and out are of the same kind. */
function call<T>(method: (...args: never[]) => unknown, noun: object, ...args: unknown[]): T {
  return Reflect.apply(method, noun, args) as T;
}

const clamp = (v: number, activation: LayerCase["activation"]) =>
  activation === undefined || Number.isNaN(v)
    ? v
    : Math.min(Math.max(v, 0), activation === "relu6" ? 6 : Infinity);

const featureOf =
  ({ inner, features }: Sizes) =>
  (i: number) =>
    Math.floor(i / inner) % features;

/** A map whose features all differ, every other of them falling. */
function mapOf(features: number, axis: number, seed: number): Affine {
  const { gamma, beta, mean, variance } = parameters(features + seed);
  return new Affine(features, {
    axis,
    center: mean.subarray(seed),
    scale: variance.map((v, j) => (j % 2 === 0 ? v : -v)).subarray(seed),
    shift: beta.map((b, j) => b + gamma[j]).subarray(seed),
  });
}

/** A residual and an activation, which an apply may have, behind what is exact within a bound. */
function nearApplied(
  y: Data,
  { c: { activation }, beside }: Run,
  exact: ArrayLike<number>,
  bound: (v: number, i: number) => number,
): Float32Array {
  const found = valuesOf(y);
  near(
    "y",
    found,
    Float64Array.from(exact, (v, i) => clamp(v + beside[i], activation)),
    (v, i) => bound(exact[i], i) + 2 * u * (Math.abs(v) + Math.abs(exact[i]) + Math.abs(beside[i])),
  );
  return found;
}

const options = ({ c: { activation }, shape, given, out }: Run) => ({
  shape,
  activation,
  residual: given[1].given,
  out: out?.given,
});

/** What a batch norm may have beside what is learned. */
interface Running {
  readonly runningMean?: Float64Array;
  readonly runningVariance?: Float64Array;
  readonly momentum?: number;
}

/** A batch norm of the run's settings. */
function batchNorm({ c, axis }: Run, running: Running = {}): BatchNorm {
  const { features, epsilon, origin } = c;
  const { gamma, beta } = parameters(features);
  const mean = running.runningMean ?? new Float64Array(features);
  const variance = running.runningVariance ?? new Float64Array(features).fill(1);
  // The weight of the new batch; in Keras and ONNX of the old one.
  const { momentum = 0.1 } = running;
  if (origin === "PyTorch") {
    const names = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
    return BatchNorm.fromPyTorch(names, { axis, epsilon, momentum });
  }
  if (origin === "Keras") {
    return BatchNorm.fromKeras([gamma, beta, mean, variance], { axis, epsilon, momentum: 1 - momentum });
  }
  if (origin === "ONNX" && axis === 1) {
    return BatchNorm.fromOnnx([gamma, beta, mean, variance], { epsilon, momentum: 1 - momentum });
  }
  return kept(c, new BatchNorm(features, { axis, epsilon, gamma, beta, ...running }), BatchNorm);
}

/** The noun, or what it becomes when it is saved and read. */
function kept<T>({ origin }: LayerCase, noun: T, read: { fromJSON(json: never): T }): T {
  return saved(noun, origin === "saved", read);
}

/** 10⁻⁶ of gamma·max(1, |x̂|), and the roundings of what is added to it. */
const trainingBound = (sizes: Sizes) => {
  const { gamma, beta } = parameters(sizes.features);
  const feature = featureOf(sizes);
  return (v: number, i: number) => {
    const j = feature(i);
    const g = Math.abs(gamma[j]);
    return 1e-6 * Math.max(g, Math.abs(v - beta[j])) + 3 * u * Math.max(Math.abs(beta[j]), Math.abs(v));
  };
};

function nearGradients(
  found: { dx: Data; dGamma: ArrayLike<number> | null; dBeta?: ArrayLike<number> | null },
  exact: { dx: ArrayLike<number>; dGamma: ArrayLike<number>; dBeta: ArrayLike<number> },
  ofX: ArrayLike<number>,
  ofGamma: ArrayLike<number>,
  ofBeta: ArrayLike<number>,
): Results {
  const rounded = (bound: ArrayLike<number>) => (v: number, i: number) =>
    bound[i] + u * Math.abs(v) + 2 ** -149;
  const dx = valuesOf(found.dx);
  near("dx", dx, exact.dx, rounded(ofX));
  near("dGamma", found.dGamma ?? [], exact.dGamma, rounded(ofGamma));
  if (found.dBeta) near("dBeta", found.dBeta, exact.dBeta, rounded(ofBeta));
  return [dx, found.dGamma ?? [], found.dBeta ?? []];
}

/** Each runs the call and judges it; returns what was computed. */
const operations = {
  infer(run: Run): Results {
    const { sizes, x, given } = run;
    const { gamma, beta, mean, variance } = parameters(sizes.features);
    const layer = batchNorm(run, { runningMean: mean, runningVariance: variance });
    if (run.c.seed % 2 === 0) scope(() => layer.infer(new Tensor(run.shape, x)));
    const y = call<Data>(layer.infer, layer, given[0].given, options(run));
    const exact = normalize(x, sizes, { mean, variance, gamma, beta, epsilon: run.c.epsilon });
    const feature = featureOf(sizes);
    return [nearApplied(y, run, exact, (v, i) => inferenceBound(v, beta[feature(i)]))];
  },

  affine(run: Run): Results {
    const { c, sizes, axis, x, given } = run;
    const { features } = sizes;
    const { mean, variance } = parameters(features);
    const maps = [
      () => mapOf(features, axis, 1),
      () => mapOf(features, axis, 1).inverse(),
      () => mapOf(features, axis, 2).pipe(mapOf(features, axis, 3)),
      () => batchNorm(run, { runningMean: mean, runningVariance: variance }).fold(),
    ];
    const map = kept(c, maps[c.seed % 4](), Affine);
    const { center, scale, shift } = map;
    // Its first use, or its second or third, which have a table.
    for (let use = c.seed % 3; use > 0; use--) map.apply(x, { shape: run.shape });
    const y = call<Data>(map.apply, map, given[0].given, options(run));
    const exact = new Float64Array(x.length);
    eachValue(sizes, (i, j) => {
      exact[i] = (x[i] - center[j]) * scale[j] + shift[j];
    });
    const feature = featureOf(sizes);
    return [nearApplied(y, run, exact, (v, i) => inferenceBound(v, shift[feature(i)]))];
  },

  train(run: Run): Results {
    const { sizes, x, given } = run;
    const { gamma, beta } = parameters(sizes.features);
    const layer = batchNorm(run, { momentum: 1 });
    const y = call<Data>(layer.train, layer, given[0].given, options(run));
    const exact = moments(x, sizes);
    const n = sizes.outer * sizes.inner;
    const running = exact.variance.map((v) => (layer.unbiased ? (v * n) / (n - 1) : v));
    near("variance", layer.runningVariance, running, (v) => 5e-7 * v);
    const map = normalize(x, sizes, { ...exact, gamma, beta, epsilon: run.c.epsilon });
    return [nearApplied(y, run, map, trainingBound(sizes)), layer.runningMean, layer.runningVariance];
  },

  synchronized(run: Run): Results {
    const { c, sizes, shape, axis, x, given } = run;
    const { gamma, beta } = parameters(sizes.features);
    const layer = batchNorm(run);
    const batch = kept(c, new Moments(sizes.features, { axis }).add(x, { shape }), Moments);
    const y = call<Data>(layer.train, layer, given[0].given, { ...options(run), moments: batch });
    const map = normalize(x, sizes, { ...moments(x, sizes), gamma, beta, epsilon: c.epsilon });
    return [nearApplied(y, run, map, trainingBound(sizes))];
  },

  backward(run: Run): Results {
    const { c, sizes, shape, x, beside, given, out } = run;
    const { gamma } = parameters(sizes.features);
    const layer = batchNorm(run);
    layer.train(x, { shape });
    const summed = c.seed % 2 === 0 ? undefined : layer.gradients(given[0].given, given[1].given, { shape });
    const found = call<ReturnType<typeof layer.backward>>(
      layer.backward,
      layer,
      given[0].given,
      given[1].given,
      { shape, out: out?.given, gradients: summed },
    );
    const { exact, ofX, ofGamma, ofBeta } = bounds(x, beside, sizes, gamma, c.epsilon);
    return nearGradients(found, exact, ofX, ofGamma, ofBeta);
  },

  frozen(run: Run): Results {
    const { features } = run.sizes;
    const { mean, variance } = parameters(features);
    const layer = batchNorm(run, { runningMean: mean, runningVariance: variance });
    return frozen(run, layer, { frozen: true });
  },

  instanceOfRunning(run: Run): Results {
    const { c, sizes, axis, x, given } = run;
    const { gamma, beta, mean, variance } = parameters(sizes.features);
    const { epsilon } = c;
    const names = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
    const settings = { axis, epsilon, gamma, beta, runningMean: mean, runningVariance: variance };
    const layer =
      c.origin === "PyTorch"
        ? InstanceNorm.fromPyTorch(names, { axis, epsilon })
        : kept(c, new InstanceNorm(sizes.features, settings), InstanceNorm);
    if (c.seed % 2 === 0) return frozen(run, layer, {});
    const y = call<Data>(layer.apply, layer, given[0].given, options(run));
    const exact = normalize(x, sizes, { mean, variance, gamma, beta, epsilon });
    const feature = featureOf(sizes);
    return [nearApplied(y, run, exact, (v, i) => inferenceBound(v, beta[feature(i)]))];
  },

  group: (run: Run) => grouped(run, false),
  groupBackward: (run: Run) => grouped(run, true),

  layerNorm: (run: Run) => rows(run, true),
  rmsNorm: (run: Run) => rows(run, false),
  layerNormBackward: (run: Run) => rowsBackward(run, true),
  rmsNormBackward: (run: Run) => rowsBackward(run, false),
};

/** dx = dy·gamma·s with s = 1/√(variance + epsilon), one product of a rounded factor; sums are within 40u of their terms. */
function frozen(run: Run, layer: BatchNorm | InstanceNorm, extra: object): Results {
  const { c, sizes, shape, x, beside, given, out } = run;
  const { gamma, mean, variance } = parameters(sizes.features);
  const found = call<ReturnType<typeof layer.backward>>(
    layer.backward,
    layer,
    given[0].given,
    given[1].given,
    { shape, out: out?.given, ...extra },
  );
  const [dGamma, dBeta, ofGamma, ofBeta] = Array.from({ length: 4 }, () => new Float64Array(sizes.features));
  const dx = new Float64Array(x.length);
  eachValue(sizes, (i, j) => {
    const s = 1 / Math.sqrt(variance[j] + c.epsilon);
    const hat = (x[i] - mean[j]) * s;
    dx[i] = gamma[j] * s * beside[i];
    dGamma[j] += beside[i] * hat;
    dBeta[j] += beside[i];
    ofGamma[j] += 40 * u * Math.abs(beside[i]) * (1 + Math.abs(hat));
    ofBeta[j] += 40 * u * Math.abs(beside[i]);
  });
  return nearGradients(
    found,
    { dx, dGamma, dBeta },
    dx.map((v) => 2 * u * Math.abs(v)),
    ofGamma,
    ofBeta,
  );
}

/** Groups of one feature each are instances. */
function groupLayer(
  c: LayerCase,
  groups: number,
  settings: { axis: number; epsilon: number; gamma: Float32Array; beta: Float32Array },
): GroupNorm | InstanceNorm {
  const { features, origin } = c;
  const { axis, epsilon, gamma: weight, beta: bias } = settings;
  const named = origin === "PyTorch";
  if (groups === features) {
    return named
      ? InstanceNorm.fromPyTorch({ weight, bias }, { axis, epsilon })
      : kept(c, new InstanceNorm(features, settings), InstanceNorm);
  }
  return named
    ? GroupNorm.fromPyTorch({ weight, bias }, { groups, axis, epsilon })
    : kept(c, new GroupNorm(groups, features, settings), GroupNorm);
}

/** x̂ within 10⁻⁶·max(1, |x̂|); gradients as in group-norm.test.ts. */
function grouped(run: Run, back: boolean): Results {
  const { c, shape, axis, x, beside, given, out } = run;
  const { images, rows, features, inner, epsilon } = c;
  const groups = features % c.groups === 0 ? c.groups : features;
  const sizes: GroupSizes = { images, rows, features, inner, groups };
  const { gamma, beta } = parameters(features);
  const settings = { axis, epsilon, gamma, beta };
  const layer = groupLayer(c, groups, settings);
  const exact = groupGradients(x, beside, sizes, gamma, epsilon);
  if (!back) {
    const y = call<Data>(layer.apply, layer, given[0].given, options(run));
    const map = new Float64Array(x.length);
    const bound = new Float64Array(x.length);
    eachOfGroups(sizes, (i, j) => {
      const own = exact.hat[i] * gamma[j];
      map[i] = own + beta[j];
      const largest = Math.max(Math.abs(own), Math.abs(beta[j]));
      bound[i] = 1e-6 * Math.max(Math.abs(gamma[j]), Math.abs(own)) + 4 * u * largest;
    });
    return [nearApplied(y, run, map, (_, i) => bound[i])];
  }
  const found = call<ReturnType<typeof layer.backward>>(
    layer.backward,
    layer,
    given[0].given,
    given[1].given,
    { shape, out: out?.given },
  );
  const n = (rows * features * inner) / groups;
  const [ofGamma, ofBeta] = [new Float64Array(features), new Float64Array(features)];
  const [ofMean, ofMeanHat] = [new Float64Array(images * groups), new Float64Array(images * groups)];
  eachOfGroups(sizes, (i, j, group) => {
    const size = Math.abs(beside[i]);
    const reach = Math.abs(exact.hat[i]) + 1;
    ofBeta[j] += 40 * u * size;
    ofGamma[j] += 40 * u * size * reach;
    ofMean[group] += (56 * u * size * Math.abs(gamma[j])) / n;
    ofMeanHat[group] += (56 * u * size * Math.abs(gamma[j]) * reach) / n;
  });
  const ofX = new Float64Array(x.length);
  eachOfGroups(sizes, (i, j, group) => {
    const reach = Math.abs(exact.hat[i]) + 1;
    const own = 16 * u * Math.abs(beside[i] * gamma[j]);
    ofX[i] = exact.scale[group] * (own + ofMean[group] + reach * ofMeanHat[group]);
  });
  return nearGradients(found, exact, ofX, ofGamma, ofBeta);
}

/** Rows of all features of all rows of an image. */
function rowLayer({ c }: Run, features: number, centered: boolean): LayerNorm | RMSNorm {
  const { gamma, beta } = parameters(features);
  const { epsilon } = c;
  if (c.origin === "PyTorch") {
    return centered
      ? LayerNorm.fromPyTorch({ weight: gamma, bias: beta }, { epsilon })
      : RMSNorm.fromPyTorch({ weight: gamma }, { epsilon });
  }
  return centered
    ? kept(c, new LayerNorm(features, { epsilon, gamma, beta }), LayerNorm)
    : kept(c, new RMSNorm(features, { epsilon, gamma }), RMSNorm);
}

/** x̂ within 10⁻⁶·max(1, |x̂|), which gamma scales, and two roundings. */
function rows(run: Run, centered: boolean): Results {
  const { c, x, beside, given, out } = run;
  const features = x.length / c.images;
  const { gamma, beta } = parameters(features);
  const layer = rowLayer(run, features, centered);
  // Every other case without, where x is what is normalized.
  const skip = c.seed % 2 === 0;
  const y = call<Data>(layer.apply, layer, given[0].given, {
    ...(skip && { skip: given[1].given }),
    out: out?.given,
  });
  const sum = skip ? x.map((value, i) => value + beside[i]) : x;
  const hat = (centered ? layerHat : rootHat)(sum, c.images, features, c.epsilon);
  const exact = hat.map((h, i) => h * gamma[i % features] + (centered ? beta[i % features] : 0));
  const found = valuesOf(y);
  near("y", found, exact, (v, i) => {
    const largest = Math.max(1, Math.abs(hat[i]));
    return 1e-6 * Math.abs(gamma[i % features]) * largest + 2 * u * Math.abs(v) + 2 ** -149;
  });
  return [found];
}

/**
 * dx = (u − mean(u) − x̂·mean(u·x̂))·s with u = dy·gamma: each term is within 16u ≈ 10⁻⁶ of its size, that of a mean the
 * mean of its terms' sizes.
 */
function rowsBackward(run: Run, centered: boolean): Results {
  const { c, x, beside, given, out } = run;
  const { images, epsilon } = c;
  const features = x.length / images;
  const { gamma } = parameters(features);
  const layer = rowLayer(run, features, centered);
  const found = call<ReturnType<typeof layer.backward>>(
    layer.backward,
    layer,
    given[0].given,
    given[1].given,
    { out: out?.given },
  );
  const exact = rowGradients(x, beside, images, features, { gamma, epsilon }, centered);
  const byRow: Sizes = { outer: 1, features: images, inner: features };
  const [ofMean, ofMeanHat] = [new Float64Array(images), new Float64Array(images)];
  const [ofGamma, ofBeta] = [new Float64Array(features), new Float64Array(features)];
  eachValue(byRow, (i, row) => {
    const size = Math.abs(beside[i] * gamma[i % features]);
    const reach = Math.abs(exact.hat[i]) + 1;
    ofMean[row] += (40 * u * size) / features;
    ofMeanHat[row] += (56 * u * size * reach) / features;
    ofGamma[i % features] += 40 * u * Math.abs(beside[i]) * reach;
    ofBeta[i % features] += 40 * u * Math.abs(beside[i]);
  });
  const ofX = new Float64Array(x.length);
  eachValue(byRow, (i, row) => {
    const own = 16 * u * Math.abs(beside[i] * gamma[i % features]);
    const reach = Math.abs(exact.hat[i]) + 1;
    ofX[i] = exact.scale[row] * (own + ofMean[row] + reach * ofMeanHat[row]);
  });
  return nearGradients(found, exact, ofX, ofGamma, ofBeta);
}

/** Operations whose bounds are for finite values. */
const FINITE = [
  "backward",
  "frozen",
  "instanceOfRunning",
  "groupBackward",
  "layerNormBackward",
  "rmsNormBackward",
];
const BY_ROW = ["layerNorm", "rmsNorm", "layerNormBackward", "rmsNormBackward"];

function runOf(c: LayerCase, places: LayerCase["places"]): { results: Results; intact: boolean } {
  const { images, rows, features, inner, operation } = c;
  const [space, plain] = [rows === 1 ? [] : [rows], inner === 1];
  const axis = plain && c.seed % 2 === 0 ? -1 : 1 + space.length;
  const shape = BY_ROW.includes(operation)
    ? [images, rows * features * inner]
    : [images, ...space, features, ...(plain ? [] : [inner])];
  const sizes: Sizes = { outer: images * rows, features, inner };
  const x = make(sizes, c.kind, c.seed);
  const beside = make(sizes, c.slopes, c.seed + 1);
  if (c.odd !== "none" && !FINITE.includes(operation)) {
    const random = uniform(c.seed);
    const odd = c.odd === "NaN" || BY_ROW.includes(operation) ? Number.NaN : Infinity;
    for (let i = 0; i < 3; i++) x[Math.floor(random() * x.length)] = odd;
  }
  const given = [put(x, places[0], shape), put(beside, places[1], shape)] as const;
  const resident = places[0].where === "tensor";
  // What is written is of x's kind.
  const where = resident ? "tensor" : places[2].where === "tensor" ? "array" : places[2].where;
  const apart = put(new Float32Array(x.length), { ...places[2], where }, shape);
  const out = c.inPlace ? given[0] : c.seed % 3 === 0 ? undefined : apart;
  try {
    const results = operations[operation]({ c, sizes, shape, axis, x, beside, given, out });
    const kept = [
      [given[0], x],
      [given[1], beside],
    ] as const;
    const same = kept.every(
      ([put, values]) =>
        put === out ||
        Buffer.compare(new Uint8Array(put.view().slice().buffer), new Uint8Array(values.buffer)) === 0,
    );
    return { results, intact: same && [...given, apart].every((p) => p.intact()) };
  } finally {
    for (const each of [...given, apart]) each.free();
  }
}

/** The call, and the same at other alignments. */
export function runLayer(c: LayerCase): { results: Results; again: Results; intact: boolean } {
  const { results, intact } = runOf(c, c.places);
  const [x, beside, out] = c.places;
  const again = runOf(c, [moved(x), moved(beside), moved(out)]);
  return { results, again: again.results, intact: intact && again.intact };
}

const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 600 }));
const sizes = fc
  .oneof(
    fc.record({ images: count, rows: fc.constant(1), features: count, inner: fc.constant(1) }),
    fc.record({ images: count, rows: fc.constant(1), features: count, inner: count }),
    fc.record({
      images: count,
      rows: fc.integer({ min: 1, max: 30 }),
      features: count,
      inner: fc.constantFrom(1, 2, 7, 49),
    }),
    fc.record({
      images: fc.integer({ min: 2, max: 4 }),
      rows: fc.constant(1),
      features: fc.integer({ min: 4000, max: 8300 }),
      inner: fc.constantFrom(1, 2),
    }),
  )
  .filter(
    ({ images, rows, features, inner }) =>
      images * rows * inner > 1 && images * rows * features * inner <= 120_000,
  );

export const layerCases: fc.Arbitrary<LayerCase> = fc
  .record({
    operation: fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[])),
    sizes,
    groups: fc.integer({ min: 1, max: 40 }),
    kind: fc.constantFrom(...Object.keys(kinds)),
    slopes: fc.constantFrom(
      "N(0, 1)",
      "N(0, 1)",
      "two values in turn",
      "constant",
      "an outlier first",
      "tiny, 1e-30",
    ),
    seed: fc.nat(),
    odd: fc.constantFrom("none", "none", "NaN", "infinity"),
    places: fc.tuple(place, place, place),
    inPlace: fc.boolean(),
    activation: fc.constantFrom(undefined, "relu", "relu6"),
    epsilon: fc.constantFrom(1e-5, 1e-5, 1e-3, 1e-12),
    origin: fc.constantFrom(...ORIGINS),
  })
  .map(({ sizes, ...c }) => ({ ...c, ...sizes }));
