// What statistics and scalers take beside float32 arrays: float64 arrays, rows and columns, from end to end in float64.

import { Affine, BatchNorm, Extrema, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { normal } from "./data.js";
import { eachValue, extrema, minMax, type Sizes, standard, worst } from "./reference.js";

/** Features that float32 does not hold: timestamps, ids, prices, tiny and huge numbers, a constant. */
const COLUMNS: ((i: number, draw: number) => number)[] = [
  (i) => 1.7e12 + 1234.5 * i,
  (i) => 1e9 + (i % 97),
  (_, draw) => 1e6 + draw,
  (_, draw) => 3e-50 * draw,
  (_, draw) => 2e150 * draw,
  () => 0.1,
  (i, draw) => (i === 0 ? 1e6 : draw),
];

/** `rows` samples of some of these features; every `gaps`-th value is NaN. */
function table(rows: number, features: number, gaps = 0): number[][] {
  const draw = normal(rows + features);
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: features }, (_, j) => {
      const value = COLUMNS[j % COLUMNS.length](i, draw());
      return gaps > 0 && (i * features + j) % gaps === gaps - 1 ? Number.NaN : value;
    }),
  );
}

function transposed(rows: readonly (readonly number[])[]): number[][] {
  return rows[0].map((_, j) => rows.map((row) => row[j]));
}

/** Each form of the same samples, and how a scaler has to see it. */
function forms(rows: number[][]) {
  const columns = transposed(rows);
  const flat = rows.flat();
  const features = rows[0].length;
  return [
    { name: "rows", axis: -1, x: rows },
    { name: "rows of Float64Array", axis: -1, x: rows.map((row) => Float64Array.from(row)) },
    { name: "columns", axis: 0, x: columns },
    { name: "columns of Float64Array", axis: 0, x: columns.map((column) => Float64Array.from(column)) },
    { name: "Float64Array", axis: -1, x: Float64Array.from(flat), features },
    {
      name: "Float64Array, features first",
      axis: 0,
      x: Float64Array.from(columns.flat()),
      shape: [features, rows.length],
    },
  ] as const;
}

/** All values, sample by sample. */
function flatten(
  y: readonly ArrayLike<number>[] | ArrayLike<number>,
  axis: number,
  features: number,
): number[] {
  const lists = Array.from(y as ArrayLike<number | ArrayLike<number>>);
  const flat = lists.flatMap((list) => (typeof list === "number" ? [list] : Array.from(list)));
  if (axis === -1) return flat;
  const rows = flat.length / features;
  return Array.from(
    { length: flat.length },
    (_, i) => flat[(i % features) * rows + Math.floor(i / features)],
  );
}

/** Relative to the size of a feature's values or deviations, whichever is larger. */
const TOLERANCE = 1e-12;

onBothBackends(() => {
  // One block of the loops has 8192 values, a round 4096 rows.
  describe.each([
    [1, 1],
    [2, 3],
    [5, 4],
    [7, 7],
    [16, 7],
    [17, 13],
    [500, 7],
    [1200, 7],
    [4095, 2],
    [4096, 2],
    [4097, 3],
    [9000, 7],
  ])("%i × %i", (count, features) => {
    test.each([0, 5])("every form, a gap every %i values", (gaps) => {
      const rows = table(count, features, gaps);
      const sizes: Sizes = { outer: count, features, inner: 1 };
      const flat = Float64Array.from(rows.flat());
      const exact = standard(flat, sizes);
      const ends = extrema(flat, sizes);
      for (const { name, axis, x, ...rest } of forms(rows)) {
        const shape = "shape" in rest ? rest.shape : undefined;
        const given = "features" in rest ? rest.features : undefined;
        const seen = new Moments(given, { axis, nan: "ignore" }).add(x, { shape });
        const size = (j: number) => Math.max(Math.abs(exact.mean[j]), Math.sqrt(exact.variance[j]));
        expect(worst(seen.mean, exact.mean, (_, j) => TOLERANCE * size(j)).ratio, name).toBeLessThanOrEqual(
          1,
        );
        // Σ(x − mean)² is blind to what rounding the values to float64 has cost already.
        const spread = (v: number, j: number) => TOLERANCE * v + (2 ** -52 * Math.abs(exact.mean[j])) ** 2;
        expect(worst(seen.variance, exact.variance, spread).ratio, name).toBeLessThanOrEqual(1);
        const { min, max } = new Extrema(given, { axis }).add(x, { shape });
        expect([min, max], name).toEqual([ends.min, ends.max]);

        const scaler = new StandardScaler(given, { axis });
        const y = scaler.fitTransform(x, { shape });
        const standardized = flat.map((v, i) => (v - exact.mean[i % features]) / exact.scale[i % features]);
        // A relative error of scale is one of z, one of the mean is as many deviations as that is large.
        const bound = (z: number, i: number) => {
          const j = i % features;
          return TOLERANCE * (1 + Math.abs(z) + size(j) / exact.scale[j]);
        };
        expect(worst(flatten(y, axis, features), standardized, bound).ratio, name).toBeLessThanOrEqual(1);
        const back = flatten(scaler.inverseTransform(y, { shape }), axis, features);
        const relative = (v: number, i: number) => TOLERANCE * Math.max(Math.abs(v), size(i % features));
        expect(worst(back, flat, relative).ratio, name).toBeLessThanOrEqual(1);
      }
    });

    test("min-max: the fitted data stay in the range and meet its ends", () => {
      const rows = table(count, features);
      const sizes: Sizes = { outer: count, features, inner: 1 };
      const flat = Float64Array.from(rows.flat());
      for (const range of [
        [0, 1],
        [-1, 1],
        [-3, 7],
      ] as [number, number][]) {
        const exact = minMax(flat, sizes, range);
        for (const { name, axis, x, ...rest } of forms(rows)) {
          const shape = "shape" in rest ? rest.shape : undefined;
          const scaler = new MinMaxScaler("features" in rest ? rest.features : undefined, { axis, range });
          const y = flatten(scaler.fitTransform(x, { shape }), axis, features);
          expect(worst(y, exact.y, () => TOLERANCE * 10).ratio, name).toBeLessThanOrEqual(1);
          eachValue(sizes, (i, j) => {
            if (exact.max[j] - exact.min[j] < 10 * 2 ** -52) return;
            if (flat[i] === exact.min[j]) expect(y[i], name).toBe(range[0]);
            else if (flat[i] === exact.max[j]) expect(y[i], name).toBe(range[1]);
            else if (!(y[i] >= range[0] && y[i] <= range[1])) expect.fail(`${name}: ${y[i]}`);
          });
        }
      }
    });
  });

  test("1,000 timestamps keep their distances", () => {
    const start = Date.UTC(2026, 0, 1);
    for (const step of [1200, 20, 1]) {
      const rows = Array.from({ length: 1000 }, (_, i) => [start + step * i]);
      const scaler = new StandardScaler();
      const z = scaler.fitTransform(rows);
      expect(new Set(z.map(([value]) => value)).size).toBe(1000);
      const back = scaler.inverseTransform(z);
      // A millisecond is 2⁻⁴¹ of the time since 1970: 10⁻¹² of it is less than two.
      for (let i = 0; i < 1000; i++) expect(Math.round(back[i][0])).toBe(rows[i][0]);
    }
  });

  describe("forms", () => {
    const rows = [
      [1, 10],
      [2, 20],
      [3, 60],
    ];

    test("what goes in decides what comes out", () => {
      for (const Scaler of [StandardScaler, MinMaxScaler]) {
        const scaler = new Scaler().fit(rows);
        expect(scaler.features).toBe(2);
        const y = scaler.transform(rows);
        expect(y.every((row) => Array.isArray(row) && row.length === 2)).toBe(true);
        const singles = scaler.transform([Float32Array.of(1, 10)]);
        expect(singles[0]).toBeInstanceOf(Float32Array);
        const mixed = scaler.transform([Float64Array.of(1, 10), [2, 20], Float32Array.of(3, 60)]);
        expect(mixed.map((row) => row.constructor)).toEqual([Float64Array, Array, Float32Array]);
        expect(mixed.map((row) => Array.from(row, Math.fround))).toEqual(
          y.map((row) => row.map(Math.fround)),
        );
        expect(scaler.transform(Float64Array.of(1, 10))).toEqual(Float64Array.from(y[0]));
        expect(scaler.transform(Float32Array.of(1, 10))).toEqual(Float32Array.from(y[0]));
        using tensor = scaler.transform(new Tensor([1, 2], [1, 10]));
        expect(tensor.data).toEqual(Float32Array.from(y[0]));
        expect(rows).toEqual([
          [1, 10],
          [2, 20],
          [3, 60],
        ]);
      }
    });

    test("out is written: in place, and beside", () => {
      const scaler = new StandardScaler().fit(rows);
      const y = scaler.transform(rows);
      const out = rows.map(() => [0, 0]);
      expect(scaler.transform(rows, { out })).toBe(out);
      expect(out).toEqual(y);
      const copy = rows.map((row) => row.slice());
      scaler.transform(copy, { out: copy });
      expect(copy).toEqual(y);
      const doubles = Float64Array.from(rows.flat());
      expect(scaler.transform(doubles, { out: doubles })).toBe(doubles);
      expect(doubles).toEqual(Float64Array.from(y.flat()));
    });

    test("guards around a float64 view stay, at every offset", () => {
      const scaler = new StandardScaler(7).fit(table(50, 7));
      for (let offset = 0; offset < 4; offset++) {
        const whole = new Float64Array(50 * 7 + 8).fill(12345);
        const view = whole.subarray(offset, offset + 350);
        view.set(table(50, 7).flat());
        const expected = scaler.transform(view);
        scaler.transform(view, { out: view });
        expect(view).toEqual(expected);
        whole.set(view.fill(12345), offset);
        expect(whole.every((value) => value === 12345)).toBe(true);
      }
    });

    test("clip keeps other data within the range, as float64", () => {
      const scaler = new MinMaxScaler({ range: [0.1, 0.7], clip: true }).fit([[0], [10]]);
      expect(scaler.transform([[-5], [20], [Number.NaN]])).toEqual([[0.1], [0.7], [Number.NaN]]);
    });

    test("parts of both kinds, and through JSON", () => {
      const all = table(60, 7);
      const parts = new StandardScaler().partialFit(all.slice(0, 20));
      parts.partialFit(Float64Array.from(all.slice(20, 45).flat()));
      parts.merge(
        StandardScaler.fromJSON(JSON.parse(JSON.stringify(new StandardScaler().fit(all.slice(45))))),
      );
      const whole = new StandardScaler().fit(all);
      expect(
        worst(parts.mean ?? [], whole.mean ?? new Float64Array(), (m) => TOLERANCE * Math.abs(m)).ratio,
      ).toBeLessThanOrEqual(1);
      const minmax = new MinMaxScaler().fit(all);
      const again = MinMaxScaler.fromJSON(JSON.parse(JSON.stringify(minmax)));
      expect(again.transform(all)).toEqual(minmax.transform(all));
      expect(MinMaxScaler.fromJSON(JSON.parse(JSON.stringify(new MinMaxScaler()))).features).toBe(undefined);
    });
  });

  describe("features may be left out", () => {
    test("nested arrays, a tensor and a shape say it", () => {
      using tensor = new Tensor([2, 3, 4], new Float32Array(24));
      for (const make of [(axis: number) => new Moments({ axis }), (axis: number) => new Extrema({ axis })]) {
        expect(make(-1).features).toBe(undefined);
        expect(make(-1).add([[1, 2, 3]]).features).toBe(3);
        expect(make(0).add([[1, 2, 3]]).features).toBe(1);
        expect(make(1).add(tensor).features).toBe(3);
        expect(make(1).add(new Float32Array(24), { shape: [2, 3, 4] }).features).toBe(3);
      }
      expect(new StandardScaler({ withMean: false }).fit([[1], [3]]).mean).toEqual(Float64Array.of(2));
      expect(new Moments().merge(new Moments().add([[1, 2]])).features).toBe(2);
    });

    test("a flat array does not, and a failed call decides nothing", () => {
      const scaler = new StandardScaler();
      expect(() => scaler.fit(Float32Array.of(1, 2))).toThrow(
        "features: expected the number of features, because x does not say it, got undefined (write it into the constructor, or give a shape)",
      );
      expect(() =>
        scaler.fit([
          [1, 2],
          [3, Number.POSITIVE_INFINITY],
        ]),
      ).toThrow(RangeError);
      expect(scaler.features).toBe(undefined);
      expect(scaler.fit([[1], [2]]).features).toBe(1);
      expect(() => scaler.fit([[1, 2]])).toThrow(
        "x[0]: expected an array of features = 1 numbers, got length 2",
      );
    });
  });

  test("what does not fit is named", () => {
    const scaler = new StandardScaler(2).fit([
      [1, 2],
      [3, 5],
    ]);
    const unchecked = (x: unknown) => x as number[][];
    for (const [x, message] of [
      [
        [1, 2],
        "x: expected rows or columns, each an array, got an array of numbers (for one sample write [[…]])",
      ],
      [[[1, 2], [3]], "x[1]: expected an array of features = 2 numbers, got length 1"],
      [[[1, null]], "x[0][1]: expected a number, got null (a gap is NaN)"],
      [[[1, "2"]], 'x[0][1]: expected a number, got "2"'],
      [["12"], 'x[0]: expected an array of numbers, a Float32Array or a Float64Array, got "12"'],
      [new Int32Array(2), "x: expected a Float32Array or a Tensor, got an Int32Array"],
    ] as const) {
      expect(() => scaler.transform(unchecked(x))).toThrow(message);
      expect(() => scaler.fit(unchecked(x))).toThrow(message);
    }
    const columns = new StandardScaler({ axis: 0 });
    expect(() => columns.fit([[1, 2], [3]])).toThrow(
      "x[1]: expected an array of the first column's = 2 numbers",
    );
    expect(() => columns.fit([])).toThrow(RangeError);
    expect(() => columns.fit([[], []])).toThrow("x: expected at least one value per feature, got none");
    expect([columns.features, columns.count]).toEqual([undefined, undefined]);
    expect(() => new Moments({ axis: 2 }).add([[1, 2]])).toThrow(
      "x: expected a Float32Array, a Float64Array or a Tensor for axis = 2, got nested arrays",
    );
    expect(() => new Moments().add([[1, 2]], { shape: [1, 2] })).toThrow(TypeError);
    expect(() => scaler.transform([[1, 2]], { out: [[1]] })).toThrow("out[0]: expected length 2, got 1");
    expect(() => scaler.transform(new Float64Array(2), { out: new Float64Array(4) })).toThrow(RangeError);
  });

  test("layers are float32, and say what to write", () => {
    const x = new Float64Array(2) as unknown as Float32Array;
    const message = "x: expected a Float32Array or a Tensor, got a Float64Array (write Float32Array.from(x))";
    expect(() => new BatchNorm(2).infer(x)).toThrow(new TypeError(message));
    expect(() => new BatchNorm(2).train(x)).toThrow(new TypeError(message));
    expect(() => new Affine(2).apply(x)).toThrow(new TypeError(message));
  });
});
