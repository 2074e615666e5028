// Random calls of every operation on float32 values, against the formulas in float64, with the promised bounds: any
// layout, data, backend, place of the arrays, in place and out of place, guards around what is written, and the same bits
// at any alignment. `npm run fuzz -- --runs N --seed S` for as many as you like; a failure prints its seed and path.

import fc from "fast-check";
import {
  BatchNorm,
  Extrema,
  init,
  LayerNorm,
  MinMaxScaler,
  Moments,
  RMSNorm,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { expect, test } from "vitest";
import { kinds, make, parameters, uniform } from "../data.js";
import { bounds } from "../gradient-bounds.js";
import {
  extrema,
  inferenceBound,
  layerHat,
  moments,
  normalize,
  rootHat,
  type Sizes,
  standard,
  u,
  worst,
} from "../reference.js";

const { FUZZ_RUNS = "150", FUZZ_SEED = "1", FUZZ_PATH } = process.env;

/** Where the values of an argument stand: an array of its own, a view at an offset, a tensor, or a view of one. */
interface Place {
  readonly where: "array" | "view" | "tensor" | "view of a tensor";
  readonly offset: number;
}

interface Case {
  readonly backend: "wasm" | "javascript";
  readonly operation: keyof typeof operations;
  readonly sizes: Sizes;
  readonly kind: string;
  readonly seed: number;
  readonly odd: "none" | "NaN" | "infinity";
  readonly places: readonly [x: Place, beside: Place, out: Place];
  readonly inPlace: boolean;
  readonly activation: "relu" | "relu6" | undefined;
}

const GUARD = 12345;
const MARGIN = 16;

/** An argument whose values stand in their place, what lies around them, and what gives it back. */
function put(values: Float32Array, { where, offset }: Place, shape: readonly number[]) {
  if (where === "tensor") {
    const tensor = new Tensor(shape, values);
    return { given: tensor, view: () => tensor.data, intact: () => true, free: () => tensor.dispose() };
  }
  const at = MARGIN + offset;
  const length = values.length + 2 * MARGIN + 8;
  const guards = (all: Float32Array) => [all.subarray(0, at), all.subarray(at + values.length)];
  const tensor = where === "view of a tensor" ? new Tensor([length]) : undefined;
  const all = tensor?.data ?? new Float32Array(length);
  for (const guard of guards(all)) guard.fill(GUARD);
  const own = values.slice();
  const memory = () => tensor?.data ?? all;
  // Read anew whenever it is asked for: other tensors may have grown the memory.
  const view = () => (where === "array" ? own : memory().subarray(at, at + values.length));
  view().set(values);
  const intact = () => guards(memory()).every((guard) => guard.every((value) => value === GUARD));
  return {
    get given() {
      return view();
    },
    view,
    intact,
    free: () => tensor?.dispose(),
  };
}

type Put = ReturnType<typeof put>;

/** What one call works on. */
interface Run {
  readonly c: Case;
  readonly shape: number[];
  readonly x: Float32Array;
  readonly beside: Float32Array;
  readonly given: readonly [x: Put, beside: Put];
  /** What options are given for the result. */
  readonly out: Put | undefined;
}

const clamp = (y: Float64Array, activation: Case["activation"]) =>
  activation === undefined
    ? y
    : y.map((v) => Math.min(Math.max(v, 0), activation === "relu6" ? 6 : Infinity));

const near = (
  found: ArrayLike<number>,
  exact: ArrayLike<number>,
  bound: (v: number, i: number) => number,
) => {
  // Beyond float32, an exact result is infinite.
  const reach = (v: number) => (Math.abs(v) > 3.40282356e38 ? Math.sign(v) * Infinity : v);
  const { ratio, at } = worst(found, found instanceof Float32Array ? Array.from(exact, reach) : exact, bound);
  expect(ratio, `at ${at}: ${found[at]} for ${exact[at]}`).toBeLessThanOrEqual(1);
};

const featureOf =
  ({ inner, features }: Sizes) =>
  (i: number) =>
    Math.floor(i / inner) % features;

/** Each runs the call and judges it; returns what was computed. */
const operations = {
  infer({ c: { sizes, activation }, shape, x, beside, given, out }: Run) {
    const { gamma, beta, mean, variance } = parameters(sizes.features);
    const layer = new BatchNorm(sizes.features, {
      axis: 1,
      gamma,
      beta,
      runningMean: mean,
      runningVariance: variance,
    });
    const y = layer.infer(given[0].given as Float32Array, {
      shape,
      activation,
      residual: given[1].given,
      out: out?.given as Float32Array,
    });
    const map = normalize(x, sizes, { mean, variance, gamma, beta });
    const exact = clamp(
      map.map((v, i) => v + beside[i]),
      activation,
    );
    const feature = featureOf(sizes);
    near(
      values(y),
      exact,
      (v, i) => inferenceBound(map[i], beta[feature(i)]) + 2 * u * (Math.abs(v) + Math.abs(beside[i])),
    );
    return [values(y)];
  },

  train({ c: { sizes, kind }, shape, x, given, out }: Run) {
    const { gamma, beta } = parameters(sizes.features);
    const layer = new BatchNorm(sizes.features, { axis: 1, gamma, beta, momentum: 1, unbiased: false });
    const y = layer.train(given[0].given as Float32Array, { shape, out: out?.given as Float32Array });
    const exact = moments(x, sizes);
    near(layer.runningVariance, exact.variance, (v) => 5e-7 * v);
    near(values(y), normalize(x, sizes, { ...exact, gamma, beta }), (v) => 1e-6 * Math.max(1, Math.abs(v)));
    expect(kind).toBeDefined();
    return [values(y), layer.runningMean, layer.runningVariance];
  },

  backward({ c: { sizes }, shape, x, beside, given, out }: Run) {
    const { gamma, beta } = parameters(sizes.features);
    const layer = new BatchNorm(sizes.features, { axis: 1, gamma, beta });
    layer.train(given[0].given as Float32Array, { shape });
    const options = { shape, out: out?.given as Float32Array };
    const found = layer.backward(given[0].given as Float32Array, given[1].given, options);
    const { exact, ofX, ofGamma, ofBeta } = bounds(x, beside, sizes, gamma);
    const dx = values(found.dx);
    near(dx, exact.dx, (v, i) => ofX[i] + u * Math.abs(v) + 2 ** -149);
    near(found.dGamma ?? [], exact.dGamma, (v, j) => ofGamma[j] + u * Math.abs(v) + 2 ** -149);
    near(found.dBeta ?? [], exact.dBeta, (v, j) => ofBeta[j] + u * Math.abs(v) + 2 ** -149);
    return [dx, found.dGamma ?? [], found.dBeta ?? []];
  },

  moments({ c: { sizes }, shape, x, given }: Run) {
    const found = new Moments(sizes.features, { axis: 1 }).add(given[0].given, { shape });
    near(found.variance, moments(x, sizes).variance, (v) => 5e-7 * v);
    return [found.mean, found.variance];
  },

  extrema({ c: { sizes }, shape, x, given }: Run) {
    const found = new Extrema(sizes.features, { axis: 1 }).add(given[0].given, { shape });
    const exact = extrema(x, sizes);
    expect([found.min, found.max]).toEqual([exact.min, exact.max]);
    return [found.min, found.max];
  },

  standard({ c: { sizes }, shape, x, given, out }: Run) {
    const scaler = new StandardScaler(sizes.features, { axis: 1 });
    const y = scaler.fitTransform(given[0].given as Float32Array, { shape, out: out?.given as Float32Array });
    const { variance } = standard(x, sizes);
    near(scaler.variance ?? [], variance, (v) => 5e-7 * v);
    return [values(y)];
  },

  minMax({ c: { sizes }, shape, x, given, out }: Run) {
    const scaler = new MinMaxScaler(sizes.features, { axis: 1, range: [-1, 1] });
    const y = values(
      scaler.fitTransform(given[0].given as Float32Array, { shape, out: out?.given as Float32Array }),
    );
    y.forEach((value, i) => {
      expect(Number.isNaN(value) === Number.isNaN(x[i]) && !(Math.abs(value) > 1)).toBe(true);
    });
    return [y];
  },

  layerNorm: (run: Run) => rows(run, true),
  rmsNorm: (run: Run) => rows(run, false),
};

function rows({ c: { sizes }, x, beside, given, out }: Run, centered: boolean) {
  const features = x.length / sizes.outer;
  const { gamma, beta } = parameters(features);
  const layer = centered ? new LayerNorm(features, { gamma, beta }) : new RMSNorm(features, { gamma });
  const y = layer.apply(given[0].given as Float32Array, {
    skip: given[1].given,
    out: out?.given as Float32Array,
  });
  const sum = x.map((value, i) => value + beside[i]);
  const hat = (centered ? layerHat : rootHat)(sum, sizes.outer, features, 1e-5);
  const exact = hat.map((h, i) => h * gamma[i % features] + (centered ? beta[i % features] : 0));
  near(values(y), exact, (v, i) => {
    const largest = Math.max(1, Math.abs(hat[i]));
    return 8e-7 * Math.abs(gamma[i % features]) * largest + 2 * u * Math.abs(v) + 2 ** -149;
  });
  return [values(y)];
}

const values = (result: Float32Array | Tensor): Float32Array =>
  (result instanceof Tensor ? result.data : result).slice();

/** Operations whose bounds are for finite values, and for values whose squares float32 holds. */
const FINITE = ["backward", "standard", "minMax", "layerNorm", "rmsNorm"];
const MODERATE = ["N(0, 1)", "mean 1e4, std 1", "sorted", "two values in turn", "an outlier first"];

function runOf(c: Case, places: Case["places"]): { results: ArrayLike<number>[]; intact: boolean } {
  const { outer, features, inner } = c.sizes;
  const byRow = c.operation === "layerNorm" || c.operation === "rmsNorm";
  const shape = byRow ? [outer, features * inner] : [outer, features, inner];
  const kind =
    ["backward", "layerNorm", "rmsNorm"].includes(c.operation) && !MODERATE.includes(c.kind)
      ? "N(0, 1)"
      : c.kind;
  const x = make(c.sizes, kind, c.seed);
  const beside = make(c.sizes, "N(0, 1)", c.seed + 1);
  if (c.odd !== "none" && !FINITE.includes(c.operation)) {
    const random = uniform(c.seed);
    for (let i = 0; i < 3; i++) x[Math.floor(random() * x.length)] = c.odd === "NaN" ? Number.NaN : Infinity;
  }
  const given = [put(x, places[0], shape), put(beside, places[1], shape)] as const;
  const tensor = places[0].where === "tensor";
  const apart = put(
    new Float32Array(x.length),
    { ...places[2], where: tensor ? "tensor" : places[2].where },
    shape,
  );
  const usable = tensor === apart.given instanceof Tensor;
  const out = c.inPlace ? given[0] : usable ? apart : undefined;
  try {
    const results = operations[c.operation]({ c, shape, x, beside, given, out });
    const writes = ["infer", "train", "backward", "standard", "minMax", "layerNorm", "rmsNorm"].includes(
      c.operation,
    );
    const kept = c.inPlace && writes ? true : bits(given[0].view()) === bits(x);
    return {
      results,
      intact: kept && bits(given[1].view()) === bits(beside) && [...given, apart].every((p) => p.intact()),
    };
  } finally {
    for (const each of [...given, apart]) each.free();
  }
}

const bits = (list: ArrayLike<number>): string =>
  Array.from(list, (v) => (Object.is(v, -0) ? "-0" : v)).join();

const place = fc.record({
  where: fc.constantFrom("array", "view", "tensor", "view of a tensor"),
  offset: fc.integer({ min: 0, max: 7 }),
}) satisfies fc.Arbitrary<Place>;

const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 600 }));
const sizes = fc
  .oneof(
    fc.record({ outer: count, features: count, inner: fc.constant(1) }),
    fc.record({ outer: count, features: count, inner: count }),
    fc.record({
      outer: fc.integer({ min: 2, max: 4 }),
      features: fc.integer({ min: 4000, max: 8300 }),
      inner: fc.constantFrom(1, 2),
    }),
  )
  .filter(({ outer, features, inner }) => outer * inner > 1 && outer * features * inner <= 120_000);

const cases: fc.Arbitrary<Case> = fc.record({
  backend: fc.constantFrom("wasm", "javascript"),
  operation: fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[])),
  sizes,
  kind: fc.constantFrom(...Object.keys(kinds)),
  seed: fc.nat(),
  odd: fc.constantFrom("none", "none", "NaN", "infinity"),
  places: fc.tuple(place, place, place),
  inPlace: fc.boolean(),
  activation: fc.constantFrom(undefined, "relu", "relu6"),
});

test(`${FUZZ_RUNS} random calls`, { timeout: 0 }, () => {
  const property = fc.property(cases, (c) => {
    init({ backend: c.backend });
    const { results, intact } = runOf(c, c.places);
    expect(intact, "guards and inputs").toBe(true);
    // The same at other alignments, where the values stand in memory of the same kind.
    const [first, ...others] = c.places;
    const moved = [first, ...others].map(({ where, offset }) => ({ where, offset: (offset + 1) % 8 }));
    const again = runOf(c, [moved[0], moved[1], moved[2]]);
    expect(again.results.map(bits)).toEqual(results.map(bits));
  });
  const path = FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH };
  fc.assert(property, { numRuns: Number(FUZZ_RUNS), seed: Number(FUZZ_SEED), ...path });
});
