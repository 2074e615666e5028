// Options: an unknown name is refused, with what was meant, and so is another object in their place.

import { Affine, BatchNorm, Extrema, init, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";

/** Options as they come from JavaScript. */
const loose = (options: unknown) => options as object;

onBothBackends(() => {
  const x = Float32Array.of(1, 2, 3, 5);
  const layer = new BatchNorm(2);
  const map = new Affine(2);
  const scaler = new StandardScaler(2).fit(x);

  test.each<[string, (options: object) => unknown, string]>([
    ["eps", (o) => new BatchNorm(2, o), "did you mean epsilon?"],
    ["epsilom", (o) => new BatchNorm(2, o), "did you mean epsilon?"],
    ["running_mean", (o) => new BatchNorm(2, o), "did you mean runningMean?"],
    ["affine", (o) => new BatchNorm(2, o), "expected axis, epsilon, momentum, unbiased, gamma, beta, "],
    ["activaton", (o) => layer.infer(x, o), "did you mean activation?"],
    ["shap", (o) => layer.train(x, o), "did you mean shape?"],
    ["output", (o) => layer.backward(x, x, o), "expected out, shape"],
    ["scales", (o) => new Affine(2, o), "did you mean scale?"],
    ["ou", (o) => map.apply(x, o), "expected out, shape, residual, activation"],
    ["featureRange", (o) => new MinMaxScaler(2, o), "did you mean range?"],
    ["feature_range", (o) => new MinMaxScaler(o), "did you mean range?"],
    ["withmean", (o) => new StandardScaler(2, o), "did you mean withMean?"],
    ["withStdev", (o) => new StandardScaler(o), "did you mean withStd?"],
    ["out", (o) => scaler.fit(x, o), "expected shape"],
    ["Axis", (o) => new Moments(2, o), "did you mean axis?"],
    ["nan", (o) => new Extrema(2, o), "expected axis"],
    ["sizes", (o) => new Moments(2).add(x, o), "expected shape"],
    ["backends", (o) => init(o), "did you mean backend?"],
  ])("%s", (name, call, hint) => {
    expect(() => call(loose({ [name]: undefined }))).toThrow(TypeError);
    expect(() => call(loose({ [name]: undefined }))).toThrow(`options.${name}: unknown, ${hint}`);
  });

  test("a tensor or an array where options belong is refused, and stays as it was", () => {
    using tensor = new Tensor([2, 2], x);
    using out = new Tensor([2, 2]);
    for (const call of [
      (o: object) => layer.infer(tensor, o),
      (o: object) => layer.train(tensor, o),
      (o: object) => map.apply(tensor, o),
      (o: object) => scaler.transform(tensor, o),
      (o: object) => layer.backward(tensor, tensor, o),
    ]) {
      const hint = "(write { out: … } for where the result goes)";
      expect(() => call(loose(out))).toThrow(`options: expected an object of options, got a Tensor ${hint}`);
      expect(() => call(loose(x))).toThrow(`got a Float32Array ${hint}`);
      expect(() => call(loose([1]))).toThrow(`got [1] ${hint}`);
    }
    expect(out.data).toEqual(new Float32Array(4));
    expect(layer.batchesTracked).toBe(0);
  });

  test("each is read once, before anything is written", () => {
    const reads: Record<string, number> = {};
    const counted = (options: Record<string, unknown>) =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(options).map(([name, value]) => [
            name,
            {
              enumerable: true,
              get: () => {
                reads[name] = (reads[name] ?? 0) + 1;
                return value;
              },
            },
          ]),
        ),
      );
    const out = new Float32Array(4);
    const applied = { out, shape: [2, 2], residual: x, activation: "relu" };
    layer.infer(x, counted(applied));
    map.apply(x, counted(applied));
    new BatchNorm(2).train(x, counted(applied));
    expect(reads).toEqual({ out: 3, shape: 3, residual: 3, activation: 3 });
    scaler.fitTransform(x, counted({ out, shape: [2, 2] }));
    scaler.transform([[1, 2]], counted({ out: [[0, 0]], shape: undefined }));
    expect(reads).toMatchObject({ out: 5, shape: 5 });
  });

  test("a getter that changes its mind writes nowhere else", () => {
    using small = new Tensor([1, 1], [7]);
    using large = new Tensor([600, 2], new Float32Array(1200).fill(1));
    let read = 0;
    const changing = {
      get out() {
        return read++ === 0 ? large : small;
      },
    };
    layer.infer(large, changing);
    expect(small.data).toEqual(Float32Array.of(7));
  });

  describe("undefined stands for the default", () => {
    test("of every option", () => {
      const layer = new BatchNorm(2, {
        axis: undefined,
        epsilon: undefined,
        momentum: undefined,
        unbiased: undefined,
        gamma: undefined,
        beta: undefined,
        runningMean: undefined,
        runningVariance: undefined,
      });
      expect(layer.toJSON()).toEqual(new BatchNorm(2).toJSON());
      expect(
        layer.infer(x, { out: undefined, shape: undefined, residual: undefined, activation: undefined }),
      ).toEqual(new BatchNorm(2).infer(x));
    });
  });
});
