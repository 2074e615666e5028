// Rows and columns are walked where they stand: every kind of list gives what its numbers give, and what is no number is
// found wherever it stands, before anything has changed.

import { Extrema, MinMaxScaler, Moments, type Nested, StandardScaler } from "simdnorm";
import { describe, expect, test } from "vitest";
import { normal } from "./data.js";
import { extrema, standard, worst } from "./reference.js";

/** Sizes about the four rows of a step, the 16 of a seed, and the 4,096 of a round. */
const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 4095, 4096, 4097, 4099];

/** Values about 10⁶ with a deviation of 1: what is lost by a bad shift shows. Every `gaps`-th is NaN. */
function rowsOf(count: number, features: number, gaps: number): number[][] {
  const draw = normal(count + features);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: features }, (_, j) => {
      const value = 1e6 + j + draw();
      return gaps > 0 && (i * features + j) % gaps === gaps - 1 ? Number.NaN : value;
    }),
  );
}

const transposed = (rows: Nested): number[][] => Array.from(rows[0], (_, j) => rows.map((row) => row[j]));

/** Every third list as an array, a Float64Array and a Float32Array, which then has to hold the numbers. */
function mixed(lists: number[][]): Nested {
  return lists.map((list, i) => [list, Float64Array.from(list), Float32Array.from(list)][i % 3]);
}

const rounded = (lists: number[][]): number[][] => lists.map((list) => list.map(Math.fround));

describe.each(COUNTS)("%i samples", (count) => {
  test.each([0, 3, 7])("a gap every %i values", (gaps) => {
    for (const features of [1, 2, 5]) {
      const rows = rounded(rowsOf(count, features, gaps));
      const sizes = { outer: count, features, inner: 1 };
      const flat = Float64Array.from(rows.flat());
      const exact = standard(flat, sizes);
      const ends = extrema(flat, sizes);
      const present = Array.from(
        { length: features },
        (_, j) => rows.filter((row) => !Number.isNaN(row[j])).length,
      );
      const columns = transposed(rows);
      for (const [name, axis, x] of [
        ["rows", -1, rows],
        ["mixed rows", -1, mixed(rows)],
        ["columns", 0, columns],
        ["mixed columns", 0, mixed(columns)],
      ] as const) {
        const moments = new Moments({ axis, nan: "ignore" }).add(x);
        // 10⁻¹² of the value, and of the variance, with what rounding the mean costs it.
        const size = (j: number) => 1e-12 * Math.abs(exact.mean[j]);
        expect(worst(moments.mean, exact.mean, (_, j) => size(j)).ratio, name).toBeLessThanOrEqual(1);
        const spread = (v: number, j: number) => 1e-12 * v + (2 ** -52 * Math.abs(exact.mean[j])) ** 2;
        expect(worst(moments.variance, exact.variance, spread).ratio, name).toBeLessThanOrEqual(1);
        const seen = new Extrema({ axis }).add(x);
        expect([seen.min, seen.max], name).toEqual([ends.min, ends.max]);
        for (const counts of [moments.count, seen.count]) {
          expect(typeof counts === "number" ? present.map(() => counts) : Array.from(counts), name).toEqual(
            present,
          );
        }
      }
    }
  });

  test("a constant is its mean, and varies by nothing", () => {
    for (const gaps of [0, 3]) {
      const rows = Array.from({ length: count }, (_, i) =>
        [0.1, 1 / 3, 1e308].map((value) => (gaps > 0 && i % gaps === 1 ? Number.NaN : value)),
      );
      for (const [axis, x] of [
        [-1, rows],
        [0, transposed(rows)],
      ] as const) {
        const nan = gaps > 0 ? "ignore" : "propagate";
        const { mean, variance } = new Moments({ axis, nan }).add(x);
        expect(Array.from(mean)).toEqual([0.1, 1 / 3, 1e308]);
        expect(Array.from(variance)).toEqual([0, 0, 0]);
      }
    }
  });

  test("maps of mixed lists are those of arrays, in the form of each", () => {
    const rows = rounded(rowsOf(count, 5, 7));
    const scaler = new MinMaxScaler({ range: [0.1, 0.7], clip: true }).fit(rows.slice(0, 3));
    const y = scaler.transform(rows);
    const columns = new MinMaxScaler({ axis: 0, range: [0.1, 0.7], clip: true });
    columns.fit(transposed(rows.slice(0, 3)));
    for (const [map, x, expected] of [
      [scaler, mixed(rows), y],
      [columns, transposed(rows), transposed(y)],
      [columns, mixed(transposed(rows)), transposed(y)],
    ] as const) {
      const got = map.transform(x as number[][]);
      expect(got.map((list) => list.constructor)).toEqual(x.map((list) => list.constructor));
      expect(got).toEqual(
        expected.map((list, i) => {
          const like = x[i];
          if (like instanceof Float32Array) return Float32Array.from(list);
          return like instanceof Float64Array ? Float64Array.from(list) : list;
        }),
      );
    }
  });
});

describe("what is no number", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /\[2\]: expected a number, got null \(a gap is NaN\)$/],
    [undefined, /\[2\]: expected a number, got undefined \(a gap is NaN\)$/],
    ["1", /\[2\]: expected a number, got "1"$/],
    [1n, /\[2\]: expected a number, got 1n$/],
    [Symbol("1"), /\[2\]: expected a number, got a symbol$/],
    [{ valueOf: () => 1 }, /\[2\]: expected a number, got an object$/],
  ];

  /** As sparse lists are: nothing was ever there. */
  function hole(list: unknown[]): void {
    delete list[2];
  }

  // Of 42 lists 0, 2, … 30 are those of a seed: each of the four of a step, within the seed and beside it, and the last.
  test.each([0, 1, 2, 3, 4, 17, 34, 35, 41])("in list %i", (at) => {
    for (const axis of [-1, 0]) {
      const lists = rowsOf(42, 42, 0);
      const outs = lists.map((list) => list.map(() => 5));
      const Scalers = [StandardScaler, MinMaxScaler];
      const scalers = Scalers.map((Scaler) => new Scaler({ axis }).fit(lists));
      const before = JSON.stringify(scalers);
      const refused = (x: unknown[][], message: RegExp) => {
        const unchecked = x as number[][];
        for (const scaler of scalers) {
          for (const call of [
            () => scaler.fit(unchecked),
            () => scaler.partialFit(unchecked),
            () => scaler.fitTransform(unchecked),
            () => scaler.transform(unchecked),
            () => scaler.transform(unchecked, { out: outs }),
            () => scaler.fitTransform(unchecked, { out: outs }),
          ]) {
            expect(call).toThrow(message);
          }
        }
      };
      for (const [value, message] of wrong) {
        const x: unknown[][] = lists.map((list) => list.slice());
        x[at][2] = value;
        refused(x, new RegExp(`^x\\[${at}\\]${message.source}`));
      }
      const x: unknown[][] = lists.map((list) => list.slice());
      hole(x[at]);
      refused(x, new RegExp(`^x\\[${at}\\]\\[2\\]: expected a number, got undefined`));
      const ragged = lists.map((list, i) => (i === at ? list.concat(1) : list));
      // The first one says how long columns are: the second has another length then.
      const found = axis === 0 && at === 0 ? 1 : at;
      refused(ragged, new RegExp(`^x\\[${found}\\]: expected an array of .* numbers, got length 4[23]$`));
      const missing: unknown[] = lists.slice();
      delete missing[at];
      refused(missing as unknown[][], new RegExp(`^x\\[${at}\\]: expected an array of numbers`));
      expect(JSON.stringify(scalers)).toBe(before);
      expect(outs.every((list) => list.every((value) => value === 5))).toBe(true);
    }
  });

  test("in lists of no values", () => {
    expect(() => new Moments().add([[], [1]])).toThrow(
      "x[1]: expected an array of features = 0 numbers, got length 1",
    );
    expect(() => new Moments({ axis: 0 }).add([[], [1]])).toThrow("x[1]: expected an array of");
    expect(new Moments().add([[], []]).features).toBe(undefined);
  });
});

describe("fitTransform", () => {
  const x = [
    [1, 10],
    [2, 30],
    [6, 20],
  ];

  test("of rows in place is that into new ones", () => {
    const y = new StandardScaler().fitTransform(x);
    const copy = x.map((row) => row.slice());
    expect(new StandardScaler().fitTransform(copy, { out: copy })).toBe(copy);
    expect(copy).toEqual(y);
  });

  test("that is refused keeps what was fitted, and how many features", () => {
    const flat = (rows: number[][]) => Float64Array.from(rows.flat());
    const other = x.map((row) => row.map((value) => 7 - value));
    const scaler = new StandardScaler(2).fit(x);
    const y = scaler.transform(x);
    const short = new Float64Array(4);
    for (const call of [
      () => scaler.fitTransform(other, { out: [[1]] as number[][] }),
      () => scaler.fitTransform(flat(other), { out: short }),
      () => scaler.fitTransform(Float32Array.from(flat(other)), { out: new Float32Array(4) }),
      () => scaler.fitTransform([[1, 2, 3]]),
    ]) {
      expect(call).toThrow(RangeError);
      expect(scaler.transform(x)).toEqual(y);
    }
    const empty = new MinMaxScaler();
    expect(() => empty.fitTransform(x, { out: [[1]] as number[][] })).toThrow(RangeError);
    expect([empty.features, empty.min]).toEqual([undefined, undefined]);
    expect(() => empty.transform(x)).toThrow("scaler: expected a fitted one");
  });

  test("a row that can be read once only is not mapped by what it had been", () => {
    const scaler = new StandardScaler(2).fit(x);
    const before = JSON.stringify(scaler);
    let reads = 0;
    const row = new Proxy([1, 2], {
      get(target, name) {
        if (name === "0" && ++reads > 2) throw new ReferenceError("gone");
        return Reflect.get(target, name);
      },
    });
    expect(() => scaler.fitTransform([row, [3, 4]])).toThrow("gone");
    expect(JSON.stringify(scaler)).toBe(before);
  });
});
