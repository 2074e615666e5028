// What the package does where it runs: a bare context, one that forbids WebAssembly, a given module, and
// tensors that nobody disposed.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { backend, init, Tensor } from "simdnorm";
import { afterEach, describe, expect, test } from "vitest";

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
});

test("a forgotten tensor is freed when it is garbage collected", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
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
