// What the package does where it runs: a bare context, one that forbids WebAssembly, a given module, and
// tensors that nobody disposed.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { BatchNorm, backend, Extrema, init, MinMaxScaler, Moments, StandardScaler, Tensor } from "simdnorm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../expect-error.js";

const file = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));

/** The package in a context that has nothing but the language and what `scope` adds or takes away. */
function inBareContext(scope: object): { name: string; values: number[]; error: string } {
  const context = createContext({ module: { exports: {} }, ...scope });
  runInContext(file("index.cjs").toString(), context);
  return runInContext(
    `(() => {
      const { BatchNorm, backend, init, Tensor } = module.exports;
      const x = new Tensor([100, 3], new Float32Array(300).map((_, i) => i % 7));
      const values = Array.from(new BatchNorm(3, { epsilon: 0 }).infer(x, { out: x }).data);
      x.dispose();
      let error = "";
      try { init({ backend: "wasm" }); } catch (caught) { error = caught.name + " " + caught.message; }
      return { name: backend(), values, error };
    })()`,
    context,
  );
}

const expected = Array.from({ length: 300 }, (_, i) => i % 7);

describe("contexts", () => {
  test.each([
    ["with nothing but the language", {}],
    ["without what is newer than ES2020", { FinalizationRegistry: undefined, WeakRef: undefined }],
  ])("%s", (_, scope) => {
    expect(inBareContext(scope)).toEqual({ name: "wasm", values: expected, error: "" });
  });

  const refused = "RangeError backend: expected a backend that can run here, got";
  test.each([
    ["without WebAssembly", { WebAssembly: undefined }],
    [
      "that refuses to compile",
      {
        WebAssembly: {
          Module: () => {
            throw new Error("refused");
          },
        },
      },
    ],
    ["that compiles and refuses to instantiate", { WebAssembly: { Module: class {}, Instance: undefined } }],
  ])("%s: JavaScript, and a forced wasm says why not", (_, scope) => {
    const { name, values, error } = inBareContext(scope);
    expect([name, values]).toEqual(["javascript", expected]);
    expect(error).toContain(refused);
  });
});

describe("init", () => {
  afterEach(() => init({ backend: "wasm" }));

  test("takes a precompiled module, also of another realm", () => {
    using before = new Tensor([2], [1, 2]);
    init({ backend: "javascript" });
    expect(backend()).toBe("javascript");
    const context = { bytes: new Uint8Array(file("kernels.wasm")) };
    const module: object = runInNewContext("new WebAssembly.Module(bytes)", context);
    init({ module });
    expect(backend()).toBe("wasm");
    using after = new Tensor([2], [3, 4]);
    expect([before.data, after.data]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  });

  test.each([
    ["without exports", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]],
    // (module (memory (export "memory") 1))
    [
      "with a memory",
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 10, 1, 6, 109, 101, 109, 111, 114, 121, 2, 0],
    ],
  ])("refuses another module, %s, and goes on with what it had", (_, bytes) => {
    using before = new Tensor([2], [1, 2]);
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    const message =
      "module: expected the module of simdnorm/kernels.wasm of this version, got a WebAssembly.Module";
    for (const options of [{ module }, { module, backend: "javascript" as const }]) {
      expectError(() => init(options), TypeError, message);
    }
    for (const claims of [{ [Symbol.toStringTag]: "WebAssembly.Module" }, new Proxy(module, {})]) {
      expectError(() => init({ module: claims }), TypeError, "module: expected");
    }
    expect(backend()).toBe("wasm");
    expect(new BatchNorm(2, { epsilon: 0 }).infer(before).data).toEqual(Float32Array.of(1, 2));
    expect(new BatchNorm(3, { epsilon: 0 }).infer(new Float32Array(300).fill(5))[299]).toBe(5);
  });
});

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

test("a forgotten tensor is freed when it is garbage collected", async () => {
  const memory = () => {
    using probe = new Tensor([1]);
    return probe.data.buffer.byteLength;
  };
  const forget = () => {
    for (let i = 0; i < 64; i++) new Tensor([2 ** 20]);
  };
  forget();
  const before = memory();
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    forget();
  }
  expect(memory()).toBeLessThanOrEqual(2 * before);
});

describe.each(["wasm", "javascript"] as const)("on %s", (name) => {
  beforeAll(() => init({ backend: name }));
  afterAll(() => init({ backend: "wasm" }));

  // Calls that run in JavaScript on either backend, that are staged as a whole and chunk by chunk, and strip by strip.
  const SHAPES = [
    [4, 2],
    [100, 3],
    [60_000, 20],
    [9, 5000],
  ];

  const layer = (features: number) => new BatchNorm(features);
  const trained = (x: Float32Array, features: number) => {
    const layer = new BatchNorm(features);
    layer.train(x);
    return layer;
  };
  const calls: Record<string, (x: Float32Array, beside: Float32Array, features: number) => unknown> = {
    infer: (x, residual, n) => layer(n).infer(x, { residual }),
    "infer in place": (x, residual, n) => layer(n).infer(x, { residual, out: x }),
    "infer where float32 holds no map": (x, residual, n) =>
      new BatchNorm(n, { gamma: new Float32Array(n).fill(1e-42) }).infer(x, { residual }),
    train: (x, residual, n) => layer(n).train(x, { residual }),
    backward: (x, dy, n) => trained(x, n).backward(x, dy),
    "backward where float32 holds no slope": (x, dy, n) => {
      for (let i = 0; i < x.length; i++) x[i] = 1e30 * (i % 7);
      return trained(x, n).backward(x, dy);
    },
    "backward over dy": (x, dy, n) => trained(x, n).backward(x, dy, { out: dy }),
    statistics: (x, _, n) => [new Moments(n).add(x), new Extrema(n).add(x)],
    "statistics without NaN": (x, _, n) => {
      x[0] = Number.NaN;
      return [new Moments(n, { nan: "ignore" }).add(x), new Extrema(n).add(x), new StandardScaler(n).fit(x)];
    },
    scalers: (x, out, n) => [
      new StandardScaler(n).fitTransform(x, { out }),
      new MinMaxScaler(n).fit(x).inverseTransform(x, { out }),
    ],
    "what throws": (x, residual, n) => {
      expect(() => layer(n).train(x, { residual, out: x.subarray(1) })).toThrow(RangeError);
    },
  };

  test.each(Object.entries(calls))("%s keeps no array alive", async (_, call) => {
    for (const [rows, features] of SHAPES) {
      // In a function of its own, so that nothing of the test holds them.
      const refs = () => {
        const arrays = [1, 2].map((value) => new Float32Array(rows * features).fill(value));
        call(arrays[0], arrays[1], features);
        return arrays.map((array) => new WeakRef(array));
      };
      const held = refs();
      await new Promise((resolve) => setTimeout(resolve));
      collect();
      expect(held.map((ref) => ref.deref())).toEqual([undefined, undefined]);
    }
  });
});
