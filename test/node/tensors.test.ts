// Tensors that are made, read, computed on, disposed and scoped in random order: each holds what a plain array holds that
// went through the same, the disposed throw, and memory stays as large as what is in use.

import fc from "fast-check";
import { Affine, init, MinMaxScaler, scope, Tensor } from "simdnorm";
import { beforeAll, expect, test } from "vitest";

/** What is in use, at most: 40 tensors of up to 12 kB. */
const MOST = 40;

interface Live {
  readonly tensor: Tensor;
  readonly values: Float32Array;
}

type Model = { live: Live[]; disposed: Tensor[] };

/** An operation: what it does to tensors, and to the arrays that they are like. `pick` chooses one. */
type Operation = (model: Model, pick: number, seed: number) => void;

const doubled = new Affine(1, { scale: [2], shift: [1] });
const chosen = ({ live }: Model, pick: number): Live | undefined => live[pick % Math.max(1, live.length)];
const apply = (values: Float32Array) => values.map((value) => 2 * value + 1);

const operations: Record<string, Operation> = {
  make: (model, pick, seed) => {
    if (model.live.length >= MOST) return;
    const values = Float32Array.from({ length: pick % 3000 }, (_, i) => (seed % 1000) + (i % 17));
    model.live.push({ tensor: new Tensor([values.length, 1], values), values });
  },
  zeros: (model, pick) => {
    if (model.live.length >= MOST) return;
    const values = new Float32Array(pick % 3000);
    model.live.push({ tensor: new Tensor([values.length, 1]), values });
  },
  copy: (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined || model.live.length >= MOST) return;
    model.live.push({ tensor: new Tensor(from.tensor.shape, from.tensor.data), values: from.values.slice() });
  },
  apply: (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined || model.live.length >= MOST) return;
    model.live.push({ tensor: doubled.apply(from.tensor), values: apply(from.values) });
  },
  "apply in place": (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined) return;
    expect(doubled.apply(from.tensor, { out: from.tensor })).toBe(from.tensor);
    from.values.set(apply(from.values));
  },
  write: (model, pick, seed) => {
    const to = chosen(model, pick);
    if (to === undefined) return;
    to.tensor.data.fill(seed % 100);
    to.values.fill(seed % 100);
  },
  dispose: (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined) return;
    from.tensor.dispose();
    from.tensor.dispose();
    model.live.splice(model.live.indexOf(from), 1);
    model.disposed.push(from.tensor);
  },
  "use what is disposed": ({ disposed }, pick) => {
    const tensor = disposed[pick % Math.max(1, disposed.length)];
    if (tensor === undefined) return;
    expect(() => tensor.data).toThrow(ReferenceError);
    expect(() => doubled.apply(tensor)).toThrow(ReferenceError);
  },
  scope: (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined || model.live.length >= MOST) return;
    const tensor = scope(() => doubled.apply(doubled.apply(from.tensor)));
    model.live.push({ tensor, values: apply(apply(from.values)) });
  },
  "a scope that throws": (model, pick) => {
    const from = chosen(model, pick);
    const made: Tensor[] = [];
    const fail = () =>
      scope(() => {
        made.push(new Tensor([1000]), ...(from ? [doubled.apply(from.tensor)] : []));
        throw new Error("mine");
      });
    expect(fail).toThrow("mine");
    for (const tensor of made) expect(() => tensor.data).toThrow(ReferenceError);
  },
  "a call that throws": (model, pick) => {
    const from = chosen(model, pick);
    if (from === undefined || from.values.length < 2) return;
    expect(() => doubled.apply(from.tensor, { residual: new Float32Array(1) })).toThrow(RangeError);
  },
  "a table that is made anew": (_, pick) => {
    const scaler = new MinMaxScaler(200);
    for (const factor of [1, 2])
      scaler.fitTransform(Float32Array.from({ length: 400 }, (_, i) => i * factor + pick));
    scaler.partialFit(new Float32Array(200));
  },
};

beforeAll(() => init({ backend: "wasm" }));

test("in random order", () => {
  const step = fc.tuple(fc.constantFrom(...Object.keys(operations)), fc.nat(), fc.nat());
  const size = () => {
    using probe = new Tensor([1]);
    return probe.data.buffer.byteLength;
  };
  const property = fc.property(fc.array(step, { minLength: 1000, maxLength: 1000 }), (steps) => {
    const model: Model = { live: [], disposed: [] };
    for (const [name, pick, seed] of steps) {
      operations[name](model, pick, seed);
      const { tensor, values } = chosen(model, seed) ?? {};
      if (tensor && values) expect(values.findIndex((value, i) => value !== tensor.data[i])).toBe(-1);
    }
    for (const { tensor, values } of model.live) {
      expect(tensor.data).toEqual(values);
      tensor.dispose();
    }
  });
  const before = size();
  fc.assert(property, { numRuns: 100, seed: 1, endOnFailure: true });
  // Scratch memory and half a megabyte in use, in blocks that grow by doubling.
  expect(size()).toBeLessThanOrEqual(4 * Math.max(before, 2 ** 23));
});
