// Options: an unknown name is refused, with what was meant, and so is another object in their place.

import {
  Affine,
  BatchNorm,
  backend,
  Extrema,
  type FoldConvOptions,
  type FoldLinearOptions,
  GroupNorm,
  InstanceNorm,
  init,
  MinMaxScaler,
  Moments,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";

/** Options as they come from JavaScript. */
const loose = (options: unknown) => options as object;

onBothBackends(() => {
  const x = Float32Array.of(1, 2, 3, 5);
  const layer = new BatchNorm(2);
  const groups = new GroupNorm(1, 2);
  const map = new Affine(2);
  const scaler = new StandardScaler(2).fit(x);

  test.each<[string, (options: object) => unknown, string]>([
    ["eps", (o) => new BatchNorm(2, o), "did you mean epsilon?"],
    ["epsilom", (o) => new BatchNorm(2, o), "did you mean epsilon?"],
    ["running_mean", (o) => new BatchNorm(2, o), "did you mean runningMean?"],
    ["affine", (o) => new BatchNorm(2, o), "expected axis, epsilon, gamma, beta, momentum, unbiased, "],
    ["activaton", (o) => layer.infer(x, o), "did you mean activation?"],
    ["shap", (o) => layer.train(x, o), "did you mean shape?"],
    ["output", (o) => layer.backward(x, x, o), "expected out, shape"],
    ["num_groups", (o) => new GroupNorm(1, 2, o), "expected axis, epsilon, gamma, beta"],
    ["affine", (o) => new InstanceNorm(2, o), "expected axis, epsilon, gamma, beta"],
    ["activaton", (o) => groups.apply(x, o), "did you mean activation?"],
    ["residual", (o) => groups.backward(x, x, o), "expected out, shape"],
    ["momentum", (o) => InstanceNorm.fromPyTorch({}, o), "expected prefix, epsilon, axis"],
    ["num_groups", (o) => GroupNorm.fromPyTorch({}, loose(o) as { groups: number }), "did you mean groups?"],
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
    ["bias", (o) => new BatchNorm(2, o), "expected axis, epsilon, gamma, beta"],
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
      (o: object) => groups.apply(tensor, o),
      (o: object) => groups.backward(tensor, tensor, o),
    ]) {
      const hint = "(write { out: … } for where the result goes)";
      expect(() => call(loose(out))).toThrow(`options: expected an object of options, got a Tensor ${hint}`);
      expect(() => call(loose(x))).toThrow(`got a Float32Array ${hint}`);
      expect(() => call(loose([1]))).toThrow(`got [1] ${hint}`);
      // What holds its values otherwise.
      expect(() => call(new Map([["out", out]]))).toThrow(`got a Map ${hint}`);
      expect(() => call(Promise.resolve({ out }))).toThrow(`got a Promise ${hint}`);
      expect(() => call(new ArrayBuffer(8))).toThrow(`got an ArrayBuffer ${hint}`);
    }
    expect(out.data).toEqual(new Float32Array(4));
    expect(layer.batchesTracked).toBe(0);
  });

  test("each is read once", () => {
    const shape = [2, 2];
    const out = new Float32Array(4);
    const residual = x.slice();
    const state = { running_mean: [0, 0], running_var: [1, 1], num_batches_tracked: [1] };
    const arrays = [
      [1, 1],
      [0, 0],
      [0, 0],
      [1, 1],
    ];
    const weights = { weight: new Float32Array(4), bias: [0, 0] };
    const kernel = { weight: new Float32Array(8), bias: [0, 0] };
    const sums = { dGamma: [0, 0], dBeta: [0, 0] };
    const calls: [object, (options: object) => unknown][] = [
      [{ axis: -1, epsilon: 1, momentum: 1, unbiased: true }, (o) => new BatchNorm(2, o)],
      [
        { gamma: [1, 1], beta: [0, 0], runningMean: [0, 0], runningVariance: [1, 1] },
        (o) => new BatchNorm(2, o),
      ],
      [{ out, shape, residual, activation: "relu" }, (o) => layer.infer(x, o)],
      [{ out, shape, residual, moments: new Moments(2).add(x) }, (o) => new BatchNorm(2).train(x, o)],
      [{ out, shape, residual, activation: "relu6" }, (o) => map.apply(x, o)],
      [{ out, shape, frozen: true }, (o) => trained.backward(x, x, o)],
      [{ out, shape, gradients: sums }, (o) => trained.backward(x, x, o)],
      [{ shape }, (o) => trained.gradients(x, x, o)],
      [{ axis: 1, epsilon: 1, gamma: [1, 1], beta: [0, 0] }, (o) => new GroupNorm(1, 2, o)],
      [
        {
          ...{ axis: 1, epsilon: 1, gamma: [1, 1], beta: [0, 0] },
          ...{ runningMean: [0, 0], runningVariance: [1, 1] },
        },
        (o) => new InstanceNorm(2, o),
      ],
      [{ out, shape, residual, activation: "relu" }, (o) => groups.apply(x, o)],
      [{ out, shape }, (o) => groups.backward(x, x, o)],
      [
        { groups: 1, prefix: "", epsilon: 1, axis: 1 },
        (o) => GroupNorm.fromPyTorch({ weight: [1, 1] }, loose(o) as { groups: number }),
      ],
      [{ prefix: "", epsilon: 1, axis: 1 }, (o) => InstanceNorm.fromPyTorch({ weight: [1, 1] }, o)],
      [{ axis: 1, center: [0, 0], scale: [1, 1], shift: [0, 0] }, (o) => new Affine(2, o)],
      [{ layout: "OI", order: "before" }, (o) => map.foldIntoLinear(weights, loose(o) as FoldLinearOptions)],
      [
        { layout: "OIHW", shape: [2, 2, 1, 2], groups: 1, order: "before", padding: 0 },
        (o) => map.foldIntoConv(kernel, loose(o) as FoldConvOptions),
      ],
      [{ axis: -1, nan: "ignore" }, (o) => new Moments(2, o)],
      [{ shape }, (o) => new Moments(2).add(x, o)],
      [{ axis: -1 }, (o) => new Extrema(o)],
      [{ shape }, (o) => new Extrema(2).add(x, o)],
      [{ axis: -1, withMean: true, withStd: true }, (o) => new StandardScaler(o)],
      [{ axis: -1, range: [0, 1], clip: true }, (o) => new MinMaxScaler(2, o)],
      [{ shape }, (o) => new StandardScaler().fit(x, o)],
      [{ shape }, (o) => new MinMaxScaler().partialFit(x, o)],
      [{ out, shape }, (o) => scaler.transform(x, o)],
      [{ out, shape }, (o) => scaler.inverseTransform(x, o)],
      [{ out, shape }, (o) => new StandardScaler(2).fitTransform(x, o)],
      [{ out: [[0, 0]], shape: undefined }, (o) => scaler.transform([[1, 2]], o)],
      [{ prefix: "", epsilon: 1, momentum: 1, axis: 1 }, (o) => BatchNorm.fromPyTorch(state, o)],
      [
        { name: "bn", axis: -1, momentum: 1, epsilon: 1, center: true, scale: true },
        (o) => BatchNorm.fromKeras(arrays, o),
      ],
      [{ epsilon: 1, momentum: 1 }, (o) => BatchNorm.fromOnnx(arrays, o)],
      [{ backend: backend(), memory: 1 }, (o) => init(o)],
    ];
    const trained = new BatchNorm(2);
    trained.train(x);
    for (const [options, call] of calls) {
      const reads: (string | symbol)[] = [];
      const counting = new Proxy(options, {
        get(target, name, receiver) {
          reads.push(name);
          return Reflect.get(target, name, receiver);
        },
      });
      call(counting);
      const twice = reads.filter((name, i) => reads.indexOf(name) !== i);
      expect(twice, String(call)).toEqual([]);
      expect(reads, String(call)).toEqual(expect.arrayContaining(Object.keys(options)));
    }
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
