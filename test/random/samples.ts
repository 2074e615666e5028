// Random calls of statistics and scalers, against the formulas in float64: float32 and float64 arrays, views, tensors,
// rows and columns of any lists, in parts that are added, merged, saved and read.

import fc from "fast-check";
import { Extrema, MinMaxScaler, Moments, type Samples, StandardScaler, Tensor } from "simdnorm";
import { expect } from "vitest";
import { kinds, normal, uniform } from "../data.js";
import { type Exact, exactly } from "../exact.js";
import { eachValue, extrema, minMax, type Sizes, standard, u } from "../reference.js";
import { near, saved } from "./places.js";

const FORMS = [
  ...["Float32Array", "float32 view", "tensor", "Float64Array", "float64 view"],
  ...["rows", "columns", "mixed rows", "mixed columns"],
] as const;

export interface SampleCase {
  readonly operation: keyof typeof operations;
  readonly form: (typeof FORMS)[number];
  readonly offset: number;
  readonly sizes: Sizes;
  readonly kind: string;
  readonly seed: number;
  readonly odd: "none" | "NaN" | "infinity";
  /** How many parts x is added in, and whether each is a noun of its own. */
  readonly parts: number;
  readonly merged: boolean;
  readonly json: boolean;
  /** Of scalers: whether the fit is taken on under scikit-learn's names. */
  readonly sklearn: boolean;
  readonly inPlace: boolean;
  /** Of moments. */
  readonly nan: "propagate" | "ignore";
  /** Of standard scalers. */
  readonly withMean: boolean;
  readonly withStd: boolean;
  /** Of min-max scalers. */
  readonly range: readonly [number, number];
  readonly clip: boolean;
}

/** Values of float64 alone, beside those that float32 holds. */
const WIDE: typeof kinds = {
  timestamps: (sample, draw) => 1.7e12 + 1234.5 * sample + Math.round(draw),
  "2e150": (_, draw) => 2e150 * draw,
  "3e-50": (_, draw) => 3e-50 * draw,
  sevenths: (sample, _, feature) => ((sample * 13 + feature) % 11) / 7,
};

const GUARD = 12345;

/** Some samples in their form, and what lies around them. */
interface Put {
  readonly given: Samples;
  /** What a result is written into: the same form. */
  values(): number[];
  intact(): boolean;
  free(): void;
}

/** Outer × features × inner values in a form; of nested forms sample by sample, or feature by feature. */
function put({ form, offset }: SampleCase, values: Float64Array, sizes: Sizes): Put {
  const { outer, features, inner } = sizes;
  const free = () => {};
  if (form === "rows" || form === "columns" || form === "mixed rows" || form === "mixed columns") {
    const byRow = form.endsWith("rows");
    const lists: number[][] = Array.from({ length: byRow ? outer * inner : features }, () => []);
    let i = 0;
    for (let o = 0; o < outer; o++) {
      for (let j = 0; j < features; j++) {
        for (let p = 0; p < inner; p++) {
          if (byRow) lists[o * inner + p][j] = values[i++];
          else lists[j].push(values[i++]);
        }
      }
    }
    const given = lists.map((list, i) => {
      const kind = form.startsWith("mixed") ? (i + offset) % 3 : 0;
      return kind === 0 ? list : kind === 1 ? Float64Array.from(list) : Float32Array.from(list);
    });
    const back = () => {
      const flat = new Array<number>(values.length);
      let i = 0;
      for (let o = 0; o < outer; o++) {
        for (let j = 0; j < features; j++) {
          for (let p = 0; p < inner; p++) {
            flat[i++] = byRow ? given[o * inner + p][j] : given[j][o * inner + p];
          }
        }
      }
      return flat;
    };
    return { given, values: back, intact: () => true, free };
  }
  if (form === "tensor") {
    const tensor = new Tensor([outer, features, inner], Float32Array.from(values));
    return {
      given: tensor,
      values: () => Array.from(tensor.data),
      intact: () => true,
      free: () => tensor.dispose(),
    };
  }
  const wide = form === "Float64Array" || form === "float64 view";
  const [before, after] = form.endsWith("view") ? [3 + offset, 9] : [0, 0];
  const all = new (wide ? Float64Array : Float32Array)(values.length + before + after).fill(GUARD);
  const view = all.subarray(before, before + values.length);
  view.set(values);
  const guards = [all.subarray(0, before), all.subarray(before + values.length)];
  return {
    given: view,
    values: () => Array.from(view),
    intact: () => guards.every((guard) => guard.every((value) => value === GUARD)),
    free,
  };
}

const isSingle = ({ form }: SampleCase) =>
  form === "Float32Array" || form === "float32 view" || form === "tensor";

/** How nouns see a form, and what says a flat one's sizes. */
function seen({ form, sizes: { features } }: SampleCase) {
  const axis = form.endsWith("rows") ? -1 : form.endsWith("columns") ? 0 : 1;
  return { axis, features };
}

const shaped = ({ form }: SampleCase, { outer, features, inner }: Sizes) =>
  /rows|columns/.test(form) ? {} : { shape: [outer, features, inner] };

interface Noun<T> {
  merge(other: T): unknown;
}

/** The noun of all parts: one that they are added to, or many that are merged. */
function ofParts<T extends Noun<T>>(
  c: SampleCase,
  x: Float64Array,
  {
    create,
    add,
    read,
  }: { create(): T; add(noun: T, x: Samples, o: object): void; read: { fromJSON(json: never): T } },
): T {
  const { outer, features, inner } = c.sizes;
  let whole = create();
  for (let part = 0; part < c.parts; part++) {
    const [from, to] = [part, part + 1].map((at) => Math.floor((at * outer) / c.parts));
    if (from === to) continue;
    const sizes = { outer: to - from, features, inner };
    const given = put(c, x.subarray(from * features * inner, to * features * inner), sizes);
    try {
      if (c.merged) {
        const own = create();
        add(own, given.given, shaped(c, sizes));
        whole.merge(saved(own, c.json, read));
      } else {
        add(whole, given.given, shaped(c, sizes));
        whole = saved(whole, c.json, read);
      }
      expect(given.intact()).toBe(true);
    } finally {
      given.free();
    }
  }
  return whole;
}

const listOf = (count: number | Float64Array | undefined, features: number) =>
  typeof count === "number" ? new Array<number>(features).fill(count) : Array.from(count ?? []);

type Results = ArrayLike<number>[];

/** Of float64 sums: 10⁻¹² of one part, 10⁻¹¹ of parts in any order. */
const tolerance = ({ parts }: SampleCase) => (parts === 1 ? 1e-12 : 1e-11);

/** Means of parts are rounded, by 2⁻⁵³ of the largest value: what merging cannot see of their distance, ≤ 2 deviations. */
const spread = (largest: number, variance: number) =>
  2 ** -50 * largest * Math.sqrt(variance) + (2 ** -50 * largest) ** 2;

/** Each makes the noun of x, judges it, and what it maps; returns what was computed. */
const operations = {
  moments(c: SampleCase, x: Float64Array, exact: readonly Exact[]): Results {
    const { features, axis } = seen(c);
    const found = ofParts(c, x, {
      create: () => new Moments(features, { axis, nan: c.nan }),
      add: (noun, part, options) => noun.add(part, options),
      read: Moments,
    });
    const lists = oddities(x, c.sizes);
    const spoilt = (j: number) => lists.infinite[j] > 0 || (c.nan === "propagate" && lists.nan[j] > 0);
    const largest = exact.map((one) => one.largest);
    const about = (j: number) => tolerance(c) * largest[j];
    const n = c.sizes.outer * c.sizes.inner;
    expect(listOf(found.count, features)).toEqual(
      exact.map((_, j) => (c.nan === "ignore" ? n - lists.nan[j] : n)),
    );
    const mean = exact.map(({ mean }, j) =>
      c.nan === "propagate" && lists.nan[j] > 0 ? Number.NaN : lists.infinite[j] > 0 ? Infinity : mean,
    );
    near("mean", found.mean, mean, (_, j) => about(j));
    const variance = exact.map(({ variance }, j) => (spoilt(j) ? Number.NaN : variance));
    near("variance", found.variance, variance, (v, j) =>
      // Means of parts are rounded: what merging them cannot see.
      c.parts === 1 ? 1e-12 * v : 1e-11 * v + spread(largest[j], v),
    );
    return [found.mean, found.variance];
  },

  extrema(c: SampleCase, x: Float64Array): Results {
    const { features, axis } = seen(c);
    const found = ofParts(c, x, {
      create: () => new Extrema(features, { axis }),
      add: (noun, part, options) => noun.add(part, options),
      read: Extrema,
    });
    const exact = extrema(x, c.sizes);
    expect([found.min, found.max]).toEqual([exact.min, exact.max]);
    return [found.min, found.max];
  },

  standard(c: SampleCase, x: Float64Array, exact: readonly Exact[]): Results {
    const { features, axis } = seen(c);
    const { withMean, withStd } = c;
    const create = () => new StandardScaler(features, { axis, withMean, withStd });
    const add = (noun: StandardScaler, part: Samples, options: object) => noun.partialFit(part, options);
    if (x.includes(Infinity)) return refuses(c, x, create());
    const fitted = ofParts(c, x, { create, add, read: StandardScaler });
    const names = {
      ...{ mean_: fitted.mean ?? null, scale_: fitted.scale ?? null, var_: fitted.variance ?? null },
      ...{ n_samples_seen_: fitted.count ?? 0, with_mean: withMean, with_std: withStd },
    };
    const scaler = c.sklearn ? StandardScaler.fromSklearn(names, { axis }) : fitted;
    const [size, variance] = [exact.map((one) => one.largest), exact.map((one) => one.variance)];
    expect(listOf(scaler.count, features)).toEqual(exact.map((one) => one.count));
    const mean = scaler.mean ?? new Float64Array(features);
    near(
      "mean",
      mean,
      exact.map((one) => one.mean),
      (_, j) => tolerance(c) * size[j],
    );
    const scale = scaler.scale ?? new Float64Array(features).fill(1);
    if (withStd) {
      near("variance", scaler.variance ?? [], variance, (v, j) =>
        c.parts === 1 ? 1e-12 * v : 1e-11 * v + spread(size[j], v),
      );
      const expected = standard(x, c.sizes);
      near("scale", scale, expected.scale, (s, j) => {
        // Next to the bound of what counts as constant, either side of it is right.
        const bound = (expected.count[j] * expected.mean[j] * 2 ** -52) ** 2;
        const decided = variance[j] > 2 * bound || variance[j] < bound / 2;
        return decided ? 1e-11 * s + (c.parts === 1 ? 0 : spread(size[j], variance[j]) / s) : Infinity;
      });
    }
    const forth = mapped(c, x, (given, options) => scaler.transform(given as Float32Array, options));
    const single = isSingle(c);
    const round = single ? 10 * u : 10 * 2 ** -53;
    const least = single || c.form.startsWith("mixed") ? 2 ** -148 : 0;
    const listed = mixedRounding(c);
    // A list of float32 holds no difference beyond its numbers.
    const held = (v: number, i: number) => (listed(i) > 0 ? Math.fround(v) : v);
    const formula = expanded(c.sizes, (i, j) => held((withMean ? x[i] - mean[j] : x[i]) / scale[j], i));
    near("transform", typed(c, forth), formula, (v, i) => (round + listed(i)) * Math.abs(v) + least);
    const y = Float64Array.from(forth);
    const back = mapped(c, y, (given, options) => scaler.inverseTransform(given as Float32Array, options));
    const inverse = expanded(c.sizes, (i, j) => y[i] * scale[j] + (withMean ? mean[j] : 0));
    const reach = expanded(c.sizes, (i, j) => Math.abs(y[i] * scale[j]) + Math.abs(mean[j]));
    near("inverse", typed(c, back), inverse, (_, i) => (0.5 * round + listed(i)) * reach[i] + least);
    return [forth, back, mean, scale];
  },

  minMax(c: SampleCase, x: Float64Array): Results {
    const { features, axis } = seen(c);
    const range: [number, number] = [c.range[0], c.range[1]];
    const create = () => new MinMaxScaler(features, { axis, range, clip: c.clip });
    const add = (noun: MinMaxScaler, part: Samples, options: object) => noun.partialFit(part, options);
    if (x.includes(Infinity)) return refuses(c, x, create());
    const fitted = ofParts(c, x, { create, add, read: MinMaxScaler });
    const names = {
      ...{ data_min_: fitted.min ?? [], data_max_: fitted.max ?? [] },
      ...{ feature_range: range, clip: c.clip },
    };
    const scaler = c.sklearn ? MinMaxScaler.fromSklearn(names, { axis }) : fitted;
    const single = isSingle(c);
    const exact = minMax(single ? Float32Array.from(x) : x, c.sizes, range);
    expect([scaler.min, scaler.max]).toEqual([exact.min, exact.max]);
    near("scale", scaler.scale ?? [], exact.scale, (s) => 2 ** -50 * s);
    const forth = mapped(c, x, (given, options) => scaler.transform(given as Float32Array, options));
    const largest = Math.max(Math.abs(range[0]), Math.abs(range[1]));
    const unit = single ? u : 2 ** -53;
    const listed = mixedRounding(c);
    const [low, high] = single ? range.map(Math.fround) : range;
    near("transform", typed(c, forth), exact.y, (_, i) => (10 * unit + listed(i)) * largest);
    // In float64 some features have no line that meets both ends: range.ts.
    const missed = single ? 0 : 2 ** -52 * largest;
    eachValue(c.sizes, (i, j) => {
      if (Number.isNaN(x[i])) return;
      // A list of float32 rounds the ends of the range as well.
      const fits =
        listed(i) > 0
          ? forth[i] >= Math.fround(low) && forth[i] <= Math.fround(high)
          : forth[i] >= low && forth[i] <= high;
      if (!fits) expect.fail(`${forth[i]} at ${i} is outside ${low} … ${high}`);
      if (listed(i) > 0) return;
      if (x[i] === exact.min[j] && !(forth[i] <= low + missed))
        expect.fail(`the minimum at ${i} became ${forth[i]}`);
      const constant = exact.max[j] - exact.min[j] < 10 * (single ? 2 ** -23 : 2 ** -52);
      if (x[i] === exact.max[j] && !constant && !(forth[i] >= high - missed)) {
        expect.fail(`the maximum at ${i} became ${forth[i]}`);
      }
    });
    const y = Float64Array.from(forth);
    const back = mapped(c, y, (given, options) => scaler.inverseTransform(given as Float32Array, options));
    const inverse = expanded(c.sizes, (i, j) => (y[i] - range[0]) / exact.scale[j] + exact.min[j]);
    const reach = expanded(c.sizes, (_, j) => {
      const size = Math.max(Math.abs(exact.min[j]), Math.abs(exact.max[j]));
      return 6 * size + (2 * largest) / exact.scale[j];
    });
    const least = single || c.form.startsWith("mixed") ? 2 ** -148 : 0;
    near("inverse", typed(c, back), inverse, (_, i) => (unit + listed(i)) * reach[i] + least);
    return [forth, back];
  },
};

/** What an infinity makes of a fit. */
function refuses(c: SampleCase, x: Float64Array, scaler: StandardScaler | MinMaxScaler): Results {
  const given = put(c, x, c.sizes);
  try {
    expect(() => scaler.fit(given.given, shaped(c, c.sizes))).toThrow("x: expected finite values or NaN");
    expect(scaler.count).toBe(undefined);
    return [];
  } finally {
    given.free();
  }
}

/** How many values of a feature are NaN, and how many infinite. */
function oddities(x: Float64Array, sizes: Sizes) {
  const [nan, infinite] = [new Uint32Array(sizes.features), new Uint32Array(sizes.features)];
  eachValue(sizes, (i, j) => {
    if (Number.isNaN(x[i])) nan[j]++;
    else if (!Number.isFinite(x[i])) infinite[j]++;
  });
  return { nan, infinite };
}

const typed = (c: SampleCase, y: readonly number[]) => (isSingle(c) ? Float32Array.from(y) : y);

/** What a list of float32 among others costs: half a unit of what is written there. */
function mixedRounding({ form, offset, sizes: { features, inner } }: SampleCase): (i: number) => number {
  if (!form.startsWith("mixed")) return () => 0;
  return (i) => {
    const feature = Math.floor(i / inner) % features;
    const sample = Math.floor(i / (features * inner)) * inner + (i % inner);
    return ((form === "mixed rows" ? sample : feature) + offset) % 3 === 2 ? 2 * u : 0;
  };
}

function expanded(sizes: Sizes, value: (i: number, j: number) => number): Float64Array {
  const y = new Float64Array(sizes.outer * sizes.features * sizes.inner);
  eachValue(sizes, (i, j) => {
    y[i] = value(i, j);
  });
  return y;
}

/** x through a map, into new memory, beside it, or in place, with nothing else written. */
function mapped(c: SampleCase, x: Float64Array, map: (x: Samples, options: object) => unknown): number[] {
  const given = put(c, x, c.sizes);
  const apart = put({ ...c, offset: (c.offset + 3) % 6 }, new Float64Array(x.length), c.sizes);
  try {
    const before = given.values();
    const options = shaped(c, c.sizes);
    const out = c.inPlace ? given : apart;
    expect(map(given.given, { ...options, out: out.given })).toBe(out.given);
    const values = out.values();
    if (out !== given) expect(given.values()).toEqual(before);
    expect(given.intact() && apart.intact()).toBe(true);
    if (!c.inPlace) {
      const fresh = map(given.given, options);
      const again = fresh instanceof Tensor ? fresh.data : fresh;
      if (ArrayBuffer.isView(again)) expect(Array.from(again as Float32Array)).toEqual(values);
      if (fresh instanceof Tensor) fresh.dispose();
    }
    return values;
  } finally {
    given.free();
    apart.free();
  }
}

/** Values of a kind; those of float32 forms, and of lists among which such stand, are float32 numbers. */
function valuesFor(c: SampleCase): Float64Array {
  const narrow = isSingle(c) || c.form.startsWith("mixed");
  const value = kinds[c.kind] ?? (narrow ? kinds["N(0, 1)"] : WIDE[c.kind]);
  const draw = normal(c.seed);
  const seen = new Uint32Array(c.sizes.features);
  const x = expanded(c.sizes, (_, j) => {
    const drawn = value(seen[j]++, draw(), j);
    return narrow ? Math.fround(drawn) : drawn;
  });
  if (c.odd === "none") return x;
  const random = uniform(c.seed);
  const holes = c.odd === "NaN" ? 1 + Math.floor(x.length / 5) : 2;
  for (let i = 0; i < holes; i++) {
    x[Math.floor(random() * x.length)] = c.odd === "NaN" ? Number.NaN : Infinity;
  }
  return x;
}

/** The case, and once more with its views elsewhere: by three, so that lists are of the same kinds. */
export function runSamples(c: SampleCase): { results: Results; again: Results; intact: boolean } {
  const x = valuesFor(c);
  const finite = x.map((v) => (v === Infinity ? Number.NaN : v));
  const exact = exactly(finite, c.sizes);
  const run = (offset: number) => operations[c.operation]({ ...c, offset }, x, exact);
  return { results: run(c.offset), again: run((c.offset + 3) % 6), intact: true };
}

const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 600 }));

export const sampleCases: fc.Arbitrary<SampleCase> = fc.record({
  operation: fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[])),
  form: fc.constantFrom(...FORMS),
  offset: fc.integer({ min: 0, max: 5 }),
  sizes: fc
    .oneof(
      fc.record({ outer: count, features: count, inner: fc.constant(1) }),
      fc.record({ outer: count, features: count, inner: count }),
      fc.record({
        outer: fc.integer({ min: 1, max: 12 }),
        features: fc.integer({ min: 2000, max: 6000 }),
        inner: fc.constantFrom(1, 2),
      }),
      fc.record({
        outer: fc.integer({ min: 4000, max: 20_000 }),
        features: fc.integer({ min: 1, max: 4 }),
        inner: fc.constant(1),
      }),
    )
    .filter(({ outer, features, inner }) => outer * features * inner <= 60_000),
  kind: fc.constantFrom(...Object.keys(kinds), ...Object.keys(WIDE)),
  seed: fc.nat(),
  odd: fc.constantFrom("none", "none", "none", "NaN", "NaN", "infinity"),
  parts: fc.constantFrom(1, 1, 2, 3),
  merged: fc.boolean(),
  json: fc.boolean(),
  sklearn: fc.boolean(),
  inPlace: fc.boolean(),
  nan: fc.constantFrom("propagate", "ignore"),
  withMean: fc.constantFrom(true, true, false),
  withStd: fc.constantFrom(true, true, false),
  range: fc.constantFrom([0, 1], [-1, 1], [5, 7], [0, 255], [-3, 0], [0.1, 0.9]),
  clip: fc.boolean(),
});
