// Scalers that scikit-learn has fitted. The attributes are those of scikit-learn 1.9.1, worked out by its formulas.

import { MinMaxScaler, StandardScaler } from "simdnorm";
import { expect, test } from "vitest";
import { onBothBackends } from "./backends.js";

// X = [[0, 5, 1], [2, 5, nan], [4, 5, 3]]: a constant feature, and one with a gap.
const standard = {
  mean_: [2, 5, 2],
  var_: [8 / 3, 0, 1],
  scale_: [Math.sqrt(8 / 3), 1, 1],
  n_samples_seen_: [3, 3, 2],
};

onBothBackends(() => {
  test("standard", () => {
    const scaler = StandardScaler.fromSklearn(standard);
    const same = new StandardScaler().fit([
      [0, 5, 1],
      [2, 5, Number.NaN],
      [4, 5, 3],
    ]);
    expect(scaler.toJSON()).toEqual(same.toJSON());
    expect(scaler.transform([[4, 6, 2]])).toEqual(
      [[2 / Math.sqrt(8 / 3), 1, 0]].map((row) => row.map((v) => expect.closeTo(v, 12))),
    );
    // Counts of the whole, and going on.
    const whole = StandardScaler.fromSklearn({ ...standard, n_samples_seen_: 3 });
    expect(whole.partialFit([[2, 5, 2]]).count).toBe(4);
  });

  test("without mean, without deviation", () => {
    const scaler = StandardScaler.fromSklearn({ ...standard, var_: null, scale_: null });
    expect([scaler.withMean, scaler.withStd]).toEqual([true, false]);
    expect(scaler.transform([[4, 6, 2]])).toEqual([[2, 1, 0]]);
    const uncentered = StandardScaler.fromSklearn({ ...standard, with_mean: false });
    expect(uncentered.transform([[0, 5, 2]])).toEqual([[0, 5, 2]]);
    // Neither: nothing but n_features_in_ says how many features there are.
    const none = { mean_: null, var_: null, scale_: null, with_mean: false, n_samples_seen_: 3 };
    const neither = StandardScaler.fromSklearn({ ...none, n_features_in_: 3 });
    expect(neither.transform([[1, 5, 2]])).toEqual([[1, 5, 2]]);
    expect(() => StandardScaler.fromSklearn(none)).toThrow(
      "n_features_in_: expected a positive integer, got undefined",
    );
    // What is to be done needs what it is done with.
    for (const [missing, name] of [
      [{ ...standard, mean_: null }, "mean_"],
      [{ ...standard, mean_: undefined }, "mean_"],
      [{ ...standard, scale_: undefined }, "scale_"],
      [{ ...standard, scale_: null, with_std: true }, "scale_"],
    ] as const) {
      expect(() => Reflect.apply(StandardScaler.fromSklearn, StandardScaler, [missing])).toThrow(
        `${name}: expected an array of numbers, got`,
      );
    }
    expect(() =>
      Reflect.apply(StandardScaler.fromSklearn, StandardScaler, [{ ...standard, with_mean: 1 }]),
    ).toThrow("with_mean: expected a boolean, got 1");
    expect(() => StandardScaler.fromSklearn({ ...none, n_features_in_: 0 })).toThrow(
      "n_features_in_: expected a positive integer, got 0",
    );
  });

  test("min-max", () => {
    const fitted = { data_min_: [0, -1], data_max_: [4, 1], feature_range: [-1, 1], clip: true };
    const scaler = MinMaxScaler.fromSklearn(fitted);
    expect(scaler.range).toEqual([-1, 1]);
    expect(
      scaler.transform([
        [1, 0],
        [9, -9],
      ]),
    ).toEqual([
      [-0.5, 0],
      [1, -1],
    ]);
    expect(MinMaxScaler.fromSklearn({ data_min_: [Number.NaN], data_max_: [Number.NaN] }).min).toEqual(
      Float64Array.of(Number.NaN),
    );
  });

  test("what is missing is named", () => {
    const unchecked = (fitted: object) => fitted as typeof standard;
    expect(() => StandardScaler.fromSklearn(unchecked({}))).toThrow(
      "mean_: expected an array of numbers, got undefined",
    );
    expect(() => StandardScaler.fromSklearn({ ...standard, var_: [1] })).toThrow(
      "var_: expected an array of features = 3 numbers, got length 1",
    );
    expect(() => StandardScaler.fromSklearn({ ...standard, n_samples_seen_: -1 })).toThrow(RangeError);
    // Their sum of squares is beyond the numbers.
    expect(() => StandardScaler.fromSklearn({ ...standard, var_: [1e308, 1, 1] })).toThrow(
      "json: expected values whose spread float64 holds, got others in feature 0",
    );
    expect(() => MinMaxScaler.fromSklearn({ data_min_: [2], data_max_: [1] })).toThrow("min ≤ max");
    expect(() => MinMaxScaler.fromSklearn({ data_min_: [0], data_max_: [1], feature_range: [1, 0] })).toThrow(
      RangeError,
    );
  });
});
