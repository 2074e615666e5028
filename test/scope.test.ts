// scope: what is made in it and not returned is freed.

import { BatchNorm, scope, Tensor } from "simdnorm";
import { expect, test } from "vitest";
import { onBothBackends } from "./backends.js";

const used = (tensor: Tensor) => {
  try {
    return tensor.data.length > 0;
  } catch {
    return false;
  }
};

onBothBackends((name) => {
  test("the result is kept, what was between is freed", () => {
    using x = new Tensor([2, 1], [1, 2]);
    const made: Tensor[] = [];
    const layer = new BatchNorm(1);
    using y = scope(() => {
      made.push(layer.infer(x), layer.infer(x));
      return layer.infer(made[1]);
    });
    expect([used(x), used(y), ...made.map(used)]).toEqual([true, true, false, false]);
  });

  test("tensors in arrays and objects are kept, cycles end", () => {
    const held: { list: Tensor[]; self?: unknown } = scope(() => {
      new Tensor([1]);
      const result: { list: Tensor[]; self?: unknown } = {
        list: [new Tensor([1], [3]), new Tensor([1], [4])],
      };
      result.self = result;
      return result;
    });
    expect(held.list.map((tensor) => tensor.data[0])).toEqual([3, 4]);
    for (const tensor of held.list) tensor.dispose();
  });

  test("a result may be nested deeply", () => {
    const list: unknown[] = [];
    const found = scope(() => {
      let inner = list;
      for (let level = 0; level < 100_000; level++) {
        const next: unknown[] = [];
        inner.push(next);
        inner = next;
      }
      const tensor = new Tensor([1], [5]);
      inner.push(tensor);
      return { list, tensor };
    });
    expect(found.tensor.data[0]).toBe(5);
    found.tensor.dispose();
  });

  test("an inner scope's result belongs to the outer one", () => {
    const made: Tensor[] = [];
    scope(() => {
      made.push(scope(() => new Tensor([1])));
      expect(used(made[0])).toBe(true);
    });
    expect(used(made[0])).toBe(false);
  });

  test("what throws frees all of it; promises are refused", () => {
    const made: Tensor[] = [];
    const failing = () => {
      made.push(new Tensor([1]));
      throw new Error("mine");
    };
    expect(() => scope(failing)).toThrow("mine");
    expect(() =>
      scope(async () => {
        made.push(new Tensor([1]));
      }),
    ).toThrow("run: expected a function that returns its result");
    expect(made.map(used)).toEqual([false, false]);
    expect(made.map(used)).toEqual([false, false]);
    // Also one of another realm.
    const promise = Object.create({}, { [Symbol.toStringTag]: { value: "Promise" } });
    expect(() => scope(() => promise)).toThrow("run: expected a function that returns its result");
    // And the next tensor belongs to no scope.
    using after = new Tensor([1]);
    expect(used(after)).toBe(true);
  });

  test("a loop of inferences without out leaves the memory's size alone", () => {
    using x = new Tensor([1000, 256]);
    const layer = new BatchNorm(256);
    const size = () => x.data.buffer.byteLength;
    const infer = () => {
      layer.infer(x);
    };
    scope(infer);
    const before = size();
    // 5 GB in all.
    for (let i = 0; i < 5000; i++) scope(infer);
    if (name === "wasm") expect(size()).toBe(before);
  });
});
