// Every public call with every wrong argument: refused with an error that names the argument, before anything is
// written, and the next good call is right. And what only looks wrong gives the same bits as what is plain.

import {
  Affine,
  BatchNorm,
  backend,
  Extrema,
  GroupNorm,
  InstanceNorm,
  init,
  LayerNorm,
  MinMaxScaler,
  Moments,
  RMSNorm,
  StandardScaler,
  Tensor,
} from "simdnorm";
import { describe, expect, test } from "vitest";
import { onBothBackends } from "./backends.js";
import { type Args, ROWS, ramp, type Subject, subjects, valuesIn } from "./subjects.js";

/** What a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** An error of ours: of a kind that we throw, in our form, and about this argument. */
function expectRefusal(error: unknown, name: string, message = ": "): void {
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  expect(ours ? error.message : error).toMatch(new RegExp(`^(options\\.)?${name}(\\.\\w+|\\[\\d+\\])*: `));
  expect(ours && error.message).toContain(message);
}

const detached = (): Float32Array => {
  const array = ramp(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

/** A view whose resizable buffer has shrunk below it. */
const shrunk = (length: number): Float32Array => {
  const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [4 * length, { maxByteLength: 4 * length }]);
  const array = new Float32Array(buffer, 0, length);
  Reflect.apply(Reflect.get(buffer, "resize"), buffer, [4]);
  return array;
};

const disposed = (shape: number[]): Tensor => {
  const tensor = new Tensor(shape);
  tensor.dispose();
  return tensor;
};

/** Values that are no values, by what they are. */
const WRONG: Record<string, (length: number, features: number) => unknown> = {
  null: () => null,
  "a string": () => "1,2,3",
  "a number": (length) => length,
  "a boolean": () => true,
  "a symbol": () => Symbol("x"),
  "a bigint": () => 1n,
  "a function": () => ramp,
  "an object": () => ({}),
  "what is like an array": (length) => ({ length }),
  "a flat array": (length) => new Array(length).fill(1),
  "bytes of float32": (length) => new Uint8Array(ramp(length).buffer),
  integers: (length) => new Int32Array(length),
  "big integers": (length) => new BigInt64Array(length),
  "a buffer": (length) => ramp(length).buffer,
  "a DataView": (length) => new DataView(ramp(length).buffer),
  "a proxied array": (length) => new Proxy(ramp(length), {}),
  "a proxied tensor": (length, features) => new Proxy(new Tensor([length / features, features]), {}),
  "an object of the prototype": () => Object.create(Tensor.prototype),
  "an array of the prototype": () => Object.create(Float32Array.prototype),
  "a disposed tensor": (length, features) => disposed([length / features, features]),
  "an array without its memory": detached,
  "an array that a buffer has shrunk below": shrunk,
  "bytes that say they are floats": (length) =>
    Object.defineProperty(new Uint8Array(length), Symbol.toStringTag, { value: "Float32Array" }),
  "another length": (length) => ramp(length + 1),
  "a length that lies": (length) => Object.defineProperty(ramp(length - 1), "length", { value: length }),
};

/** What is wrong for calls that take float32 values only. */
const WRONG_FOR_LAYERS: typeof WRONG = {
  "a Float64Array": (length) => new Float64Array(length),
  rows: (length) => [new Array(length).fill(1)],
};

class Own extends Float32Array<ArrayBuffer> {
  static get [Symbol.species]() {
    return Float64Array as never;
  }
  override subarray(): never {
    throw new Error("subarray");
  }
  override set(): never {
    throw new Error("set");
  }
  override get length(): number {
    return 3;
  }
}

const inBuffer = (buffer: ArrayBufferLike, values: Float32Array): Float32Array => {
  const array = new Float32Array(buffer, 0, values.length);
  array.set(values);
  return array;
};

/** The same values in arrays of other kinds. */
const RIGHT: Record<string, (values: Float32Array<ArrayBuffer>) => unknown> = {
  "of a subclass": (values) => Reflect.construct(Own, [values.slice().buffer]),
  // Pages have it where they are isolated.
  ...(typeof SharedArrayBuffer === "function" && {
    "in shared memory": (values) => inBuffer(new SharedArrayBuffer(values.byteLength), values),
  }),
  "in resizable memory": (values) =>
    inBuffer(Reflect.construct(ArrayBuffer, [values.byteLength, { maxByteLength: 10 ** 7 }]), values),
  "that tracks its buffer's length": (values) => {
    const buffer = Reflect.construct(ArrayBuffer, [values.byteLength / 2, { maxByteLength: 10 ** 7 }]);
    const array = new Float32Array(buffer);
    Reflect.apply(Reflect.get(buffer, "resize"), buffer, [values.byteLength]);
    array.set(values);
    return array;
  },
  "with a length that lies": (values) => Object.defineProperty(values.slice(), "length", { value: 7 }),
  "without a prototype of arrays": (values) => Object.setPrototypeOf(values.slice(), Float64Array.prototype),
};

const FEATURES = 5;

function goodArgs({ arrays, shape }: Subject, length: number): Args {
  const args: Args = {};
  arrays.forEach((name, i) => {
    args[name] = ramp(length, i);
  });
  if ("dy" in args) args.x = ramp(length);
  if (shape !== undefined) args.shape = shape(length / FEATURES, FEATURES);
  return args;
}

const withAxis = (name: string, features: number, axis: number): object => {
  const options = { axis };
  const make: Record<string, () => object> = {
    BatchNorm: () => new BatchNorm(features, options),
    GroupNorm: () => new GroupNorm(1, features, options),
    InstanceNorm: () => new InstanceNorm(features, options),
    Affine: () => new Affine(features, options),
    Moments: () => new Moments(features, options),
    Extrema: () => new Extrema(features, options),
    StandardScaler: () => new StandardScaler(features, options),
    MinMaxScaler: () => new MinMaxScaler(features, options),
  };
  return make[name]();
};

onBothBackends(() => {
  describe.each(subjects)("$name", (subject) => {
    const features = FEATURES;
    const shaped = subject.options.includes("shape");
    const length = ROWS * features;
    const expected = () => valuesIn(subject.open(features).call(goodArgs(subject, length)));

    const refused = { ...WRONG, ...(subject.samples ? {} : WRONG_FOR_LAYERS) };
    const wrong = subject.arrays.flatMap((name) =>
      Object.entries(refused).map(([what, make]) => [name, what, make] as const),
    );

    test.each(wrong)("%s: %s", (name, _, make) => {
      const opened = subject.open(features);
      const state = opened.state();
      const args = goodArgs(subject, length);
      const copies = Object.values(args).map((value) => valuesIn(value));
      expectRefusal(
        thrown(() => opened.call({ ...args, [name]: make(length, features) })),
        // A length is seen first by who has a shape for it.
        name === "x" && subject.shape ? "(x|shape)" : name,
      );
      expect(opened.state()).toBe(state);
      expect(Object.values(args).map(valuesIn)).toEqual(copies);
      expect(valuesIn(opened.call(args))).toEqual(expected());
    });

    test("options that are none", () => {
      const opened = subject.open(features);
      const state = opened.state();
      const args = goodArgs(subject, length);
      for (const name of ["oot", "eps", "length"]) {
        expectRefusal(
          thrown(() => opened.call({ ...args, [name]: 1 })),
          name,
          "unknown",
        );
      }
      for (const shape of shaped
        ? [null, 3, "5", { 0: 40, 1: 5, length: 2 }, [40, "5"], [40n, 5n], new Array(2), ramp(2)]
        : []) {
        expectRefusal(
          thrown(() => opened.call({ ...args, shape })),
          "shape",
          "non-negative integers",
        );
      }
      const sizes = [
        [-40, -5],
        [40.5, 5],
        [Number.NaN, 5],
        [Infinity, 5],
        [2 ** 53, 5],
        [2 ** 32 + 40, 5],
      ];
      for (const shape of shaped
        ? [...sizes, [40, 4], [5, 40], [0, 5], [], [2 ** 30, 2 ** 30, 5], [200]]
        : []) {
        expectRefusal(
          thrown(() => opened.call({ ...args, shape })),
          "shape",
        );
      }
      if (subject.options.includes("activation")) {
        for (const activation of [null, 6, "gelu", "RELU", {}, ["relu"]]) {
          expectRefusal(
            thrown(() => opened.call({ ...args, activation })),
            "activation",
          );
        }
      }
      expect(opened.state()).toBe(state);
      expect(valuesIn(opened.call(args))).toEqual(expected());
    });

    // In chunks, too: subarrays are taken there.
    test.each(Object.entries(RIGHT))("values %s", (_, make) => {
      for (const rows of subject.arrays.includes("dy") ? [ROWS] : [4, ROWS, 12_000]) {
        const plain = goodArgs(subject, rows * features);
        const result = valuesIn(subject.open(features).call(plain));
        for (const name of subject.arrays) {
          const args = goodArgs(subject, rows * features);
          const given = make(ramp(rows * features, subject.arrays.indexOf(name)));
          const y = subject.open(features).call({ ...args, [name]: given });
          const written = subject.name.endsWith("backward") ? Reflect.get(Object(y), "dx") : y;
          if (name === "out") expect(written).toBe(given);
          expect(valuesIn(y)).toEqual(result);
        }
      }
    });

    test("each option is read once, and what it throws changes nothing", () => {
      const opened = subject.open(features);
      const state = opened.state();
      const args = goodArgs(subject, length);
      const options = subject.options.filter(
        (name) => name !== "frozen" && name !== "gradients" && name !== "moments",
      );
      for (const name of options) {
        const throwing = { ...args };
        Object.defineProperty(throwing, name, {
          enumerable: true,
          get() {
            throw new Error("mine");
          },
        });
        expect(() => opened.call(throwing)).toThrow("mine");
        expect(opened.state()).toBe(state);
      }
    });

    // Getters of options, and of the items of a shape, run before anything is looked at that they could change.
    const places = shaped ? ["option", "item"] : ["option"];
    test.each(places)("a getter, of an %s, that disposes, grows, or switches", (where) => {
      const name = backend();
      const sizes = subject.shape?.(ROWS, features) ?? [ROWS, features];
      const made: Tensor[] = [];
      const interventions = [
        () => made[0].dispose(),
        () => made.push(...Array.from({ length: 30 }, () => new Tensor([100_000]))),
        () => init({ backend: name === "wasm" ? "javascript" : "wasm" }),
      ];
      for (const intervene of interventions) {
        const plain = goodArgs(subject, length);
        const args: Args = {};
        for (const array of subject.arrays) {
          const tensor = new Tensor(sizes, plain[array] as Float32Array);
          made.push(tensor);
          // x is a tensor, and what stands beside it a view of one.
          args[array] = array === "x" || array === "out" ? tensor : tensor.data;
        }
        const opened = subject.open(features);
        const state = opened.state();
        const shape = sizes.slice();
        const option = shaped ? "shape" : "out";
        const target = where === "option" ? args : shape;
        const value = where === "item" ? features : shaped ? shape : args[option];
        const get = () => {
          intervene();
          return value;
        };
        const at = where === "option" ? option : sizes.length - 1;
        Object.defineProperty(target, at, { enumerable: true, get });
        if (where === "item") args.shape = shape;
        const other = subject.open(features);
        const error = thrown(() => expect(valuesIn(opened.call(args))).toEqual(valuesIn(other.call(plain))));
        init({ backend: name });
        if (intervene === interventions[0]) {
          expect(error).toBeInstanceOf(ReferenceError);
          expect(opened.state()).toBe(state);
        } else if (error !== undefined) expectRefusal(error, "\\w+", "memory was moved");
        for (const tensor of made.splice(0)) tensor.dispose();
      }
    });

    test("no values: none, or refused", () => {
      for (const tensors of [false, true]) {
        const opened = subject.open(features);
        const state = opened.state();
        const args = goodArgs(subject, 0);
        const sizes = subject.shape?.(0, features) ?? [0, features];
        for (const name of subject.arrays) if (tensors) args[name] = new Tensor(sizes);
        const error = thrown(() => {
          const y = Object(opened.call(args));
          for (const [name, values] of Object.entries({ y, dx: Reflect.get(y, "dx") })) {
            if (values instanceof Tensor || ArrayBuffer.isView(values))
              expect([name, valuesIn(values)]).toEqual([name, []]);
          }
        });
        if (error !== undefined) expectRefusal(error, "x", "expected");
        expect(opened.state()).toBe(state);
      }
    });

    test("an axis that is not there", () => {
      if (!shaped) return;
      const Noun = subject.name.split(".")[0];
      for (const axis of [4, -9, 2 ** 40, -(2 ** 40)]) {
        const noun = withAxis(Noun, features, axis);
        const args = { ...goodArgs(subject, length), shape: [ROWS / 4, 4, features] };
        const method = Reflect.get(noun, subject.name.split(".")[1]);
        const { x, dy, ...options } = args as Args;
        const given = dy === undefined ? [x, options] : [x, dy, options];
        const error = thrown(() => Reflect.apply(method, noun, given));
        // Nothing was fitted.
        if (/^(scaler|backward): expected/.test(String(Object(error).message))) continue;
        expectRefusal(error, "shape", `axes for axis = ${axis}`);
      }
    });

    // What options do while they are read has happened before the call begins.
    test("a getter that calls the noun, or resizes and transfers what is given", () => {
      const option = subject.options.find((name) => name === "shape" || name === "out");
      if (option === undefined) return;
      const trapped = (args: Args, act: () => void) => {
        const value = args[option];
        return Object.defineProperty({ ...args }, option, {
          enumerable: true,
          get() {
            act();
            return value;
          },
        });
      };
      const args = goodArgs(subject, length);
      const other = ramp(length, 9);
      const before = subject.open(features);
      before.call({ ...goodArgs(subject, length), x: other });
      const expected = valuesIn(before.call(goodArgs(subject, length)));
      const noun = subject.open(features);
      const inner = () => noun.call({ ...goodArgs(subject, length), x: other });
      expect(valuesIn(noun.call(trapped(args, inner)))).toEqual(expected);
      expect(noun.state()).toBe(before.state());

      for (const name of subject.arrays) {
        for (const lose of ["resize", "transfer"] as const) {
          const opened = subject.open(features);
          const state = opened.state();
          const given = goodArgs(subject, length);
          const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [
            4 * length,
            ...(lose === "resize" ? [{ maxByteLength: 4 * length }] : []),
          ]);
          const array = new Float32Array(buffer, 0, length);
          array.set(ramp(length));
          given[name] = array;
          const act = () => {
            if (lose === "resize") Reflect.apply(Reflect.get(buffer, "resize"), buffer, [8]);
            else if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
          };
          expectRefusal(
            thrown(() => opened.call(trapped(given, act))),
            name === "x" && subject.shape ? "(x|shape)" : name,
          );
          expect(opened.state()).toBe(state);
        }
      }
    });

    const outs = subject.arrays.filter((name) => name !== "out" && name !== "sum");
    if (subject.arrays.includes("out")) {
      test.each(outs)("out over %s: itself, apart from it, or refused", (name) => {
        for (const rows of [4, ROWS]) {
          if (name === "dy" && rows !== ROWS) continue;
          const length = rows * features;
          const plain = subject.arrays.includes("dy") && rows !== ROWS ? null : goodArgs(subject, length);
          if (plain === null) continue;
          const expected = valuesIn(subject.open(features).call(plain));
          for (const shift of [
            -length - 1,
            -length,
            1 - length,
            -7,
            -1,
            0,
            1,
            7,
            length - 1,
            length,
            length + 1,
          ]) {
            const memory = new Float32Array(4 * length);
            const at = 2 * length - (length >> 1);
            const input = memory.subarray(at, at + length);
            const args = { ...goodArgs(subject, length) };
            input.set(args[name] as Float32Array);
            const copy = memory.slice();
            args[name] = input;
            args.out = memory.subarray(at + shift, at + shift + length);
            const opened = subject.open(features);
            if (shift !== 0 && Math.abs(shift) < length) {
              expectRefusal(
                thrown(() => opened.call(args)),
                "out",
                "overlap",
              );
              expect(memory).toEqual(copy);
            } else expect(valuesIn(opened.call(args))).toEqual(expected);
          }
        }
      });
    }
  });

  test("out and sum over arrays of the layer itself: refused, or right", () => {
    const length = 2 * FEATURES;
    const x = ramp(length);
    const layer = new BatchNorm(FEATURES, { gamma: ramp(FEATURES, 1), beta: ramp(FEATURES, 2) });
    layer.train(ramp(12 * FEATURES));
    for (const field of ["runningMean", "runningVariance"] as const) {
      const state = JSON.stringify(layer);
      const out = new Float32Array(layer[field].buffer);
      for (const call of [
        () => layer.train(x, { out }),
        () => layer.infer(x, { out }),
        () => layer.backward(x, x, { out, frozen: true }),
      ]) {
        expectRefusal(thrown(call), "out", `expected memory apart from the layer's own arrays, got ${field}`);
        expect(JSON.stringify(layer)).toBe(state);
      }
    }
    for (const Norm of [LayerNorm, RMSNorm]) {
      const norm = new Norm(FEATURES);
      const row = ramp(FEATURES);
      const own = norm.gamma ?? row;
      for (const [name, call] of [
        ["sum", () => norm.apply(row, { skip: row, sum: own })],
        ["out", () => norm.apply(row, { skip: row, out: own })],
        ["out", () => norm.apply(row, { out: own })],
        ["out", () => norm.backward(row, row, { out: own })],
      ] as const) {
        expectRefusal(thrown(call), name, "expected memory apart from the layer's own arrays, got gamma");
        expect(norm.gamma).toEqual(new Float32Array(FEATURES).fill(1));
      }
    }
    // A single row is written where gamma or beta was read.
    for (const field of ["gamma", "beta"] as const) {
      const row = ramp(FEATURES);
      const make = () => ({ gamma: ramp(FEATURES, 1), beta: ramp(FEATURES, 2) });
      const shape = [1, FEATURES];
      const group = new GroupNorm(1, FEATURES, make());
      const out = group[field] ?? row;
      expect(group.apply(row, { shape, out })).toBe(out);
      expect(out).toEqual(new GroupNorm(1, FEATURES, make()).apply(row, { shape }));
      const expected = layer.infer(row);
      const copy = BatchNorm.fromJSON(layer.toJSON());
      expect(copy.infer(row, { out: copy[field] ?? row })).toEqual(expected);
    }
  });
});
