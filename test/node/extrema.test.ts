// The extrema kernels in the debug module, whose assertions are compiled in: tables keep to their memory.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { expect, test } from "vitest";
import type { instantiate } from "../../build/kernels.js";
import { make } from "../data.js";
import { extrema } from "../reference.js";

type Kernels = Awaited<ReturnType<typeof instantiate>>;

const kernels: Kernels = instantiateSync<Kernels & Record<string, unknown>>(
  readFileSync(new URL("../../build/debug/kernels.wasm", import.meta.url)),
).exports;

/** Values of table memory, more than any case needs. */
const ROOM = 4096;
const table = kernels.allocate(4 * ROOM);

function floats(pointer: number, length: number): Float32Array {
  return new Float32Array(kernels.memory.buffer, pointer, length);
}

/** What the table holds; the memory behind its groups is as it was painted. */
function read(features: number): { min: Float64Array; max: Float64Array } {
  const values = floats(table, ROOM);
  const used = 16 * Math.ceil(features / 8);
  expect(values.subarray(used).every((value) => value === 12345)).toBe(true);
  const at = (j: number) => 16 * (j >> 3) + (j & 7);
  return {
    min: Float64Array.from({ length: features }, (_, j) => values[at(j)]),
    max: Float64Array.from({ length: features }, (_, j) => values[at(j) + 8]),
  };
}

test.each([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67])("columns of %i features", (features) => {
  // Strides of whole rows and of rows that belong to wider ones; blocks of 64 KB end within the longest.
  for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 66, 1000]) {
    for (const stride of [features, features + 5]) {
      const sizes = { outer: rows, features: stride, inner: 1 };
      const x = make(sizes, "heavy tails").map((value, i) => (i % 7 === 3 ? Number.NaN : -value));
      const pointer = kernels.allocate(4 * x.length + 32);
      floats(pointer, x.length).set(x);
      floats(table, ROOM).fill(12345);
      kernels.noExtrema(table, features);
      kernels.columnsExtrema(pointer, rows, features, 4 * stride, table);
      const exact = extrema(x, sizes);
      const { min, max } = read(features);
      for (let j = 0; j < features; j++) {
        const none = Number.isNaN(exact.min[j]);
        expect(min[j]).toBe(none ? Number.POSITIVE_INFINITY : exact.min[j]);
        expect(max[j]).toBe(none ? Number.NEGATIVE_INFINITY : exact.max[j]);
      }
      expect(floats(pointer, x.length)).toEqual(x);
      kernels.free(pointer);
    }
  }
});

test.each([1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 63, 64, 65, 257])("planes of %i values", (inner) => {
  for (const features of [1, 2, 5, 9, 17]) {
    const x = make({ outer: 1, features, inner }, "N(0, 1)");
    const pointer = kernels.allocate(4 * x.length);
    floats(pointer, x.length).set(x);
    floats(table, ROOM).fill(12345);
    kernels.noExtrema(table, features);
    // All but the first feature in a call of their own.
    kernels.planesExtrema(pointer, 1, inner, table, 0);
    if (features > 1) kernels.planesExtrema(pointer + 4 * inner, features - 1, inner, table, 1);
    expect(read(features)).toEqual(extrema(x, { outer: 1, features, inner }));
    kernels.free(pointer);
  }
});

test("the debug module tells what a caller did wrong", () => {
  expect(() => kernels.columnsExtrema(table, 0, 1, 4, table)).toThrow(/assembly\/extrema\.ts/);
  expect(() => kernels.planesExtrema(table, 1, 0, table, 0)).toThrow(/assembly\/extrema\.ts/);
});
