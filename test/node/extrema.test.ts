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

const ends = kernels.allocate(16 * 1024);

/** What the table says of each feature; the memory behind its groups is as it was painted. */
function read(columns: number, features = columns, inner = 1) {
  const used = 24 * Math.ceil(columns / 8);
  expect(
    floats(table, ROOM)
      .subarray(used)
      .every((value) => value === 12345),
  ).toBe(true);
  const odd = kernels.collectExtrema(table, columns, features, inner, ends, ends + 8 * features);
  const [min, max] = [0, 1].map((i) =>
    new Float64Array(kernels.memory.buffer, ends + 8 * features * i, features).slice(),
  );
  return { min, max, odd: Boolean(odd) };
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
      kernels.columnsExtrema(pointer, rows, features, 1, 4 * stride, table);
      const exact = extrema(x, sizes);
      const { min, max, odd } = read(features);
      const inside = (i: number) => i % stride < features;
      expect(odd).toBe(x.some((value, i) => Number.isNaN(value) && inside(i)));
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
    kernels.planesExtrema(pointer, 1, 1, inner, table, 0);
    if (features > 1) kernels.planesExtrema(pointer + 4 * inner, 1, features - 1, inner, table, 1);
    expect(read(features)).toEqual({ ...extrema(x, { outer: 1, features, inner }), odd: false });
    kernels.free(pointer);
  }
});

// Rows that are read as one: whole tall rows, and 0 to copies − 1 that are left.
test.each([
  [3, 1, 8],
  [5, 1, 8],
  [1, 1, 8],
  [9, 3, 2],
])("tiles of %i features by %i, %i copies", (features, inner, copies) => {
  const row = features * inner;
  for (const rows of [1, copies - 1, copies, copies + 1, 4 * copies, 9 * copies + copies - 1]) {
    const sizes = { outer: rows, features, inner };
    const x = make(sizes, "heavy tails");
    const guard = 64;
    const pointer = kernels.allocate(4 * (x.length + guard));
    // Values that would change every end, if what is past the last row were taken.
    floats(pointer, x.length + guard).fill(-1e30);
    floats(pointer, x.length).set(x);
    floats(table, ROOM).fill(12345);
    kernels.noExtrema(table, row * copies);
    kernels.columnsExtrema(pointer, rows, row, copies, 4 * row, table);
    expect(read(row * copies, features, inner)).toEqual({ ...extrema(x, sizes), odd: false });
    kernels.free(pointer);
  }
});

test("the debug module tells what a caller did wrong", () => {
  expect(() => kernels.columnsExtrema(table, 0, 1, 1, 4, table)).toThrow(/assembly\/extrema\.ts/);
  expect(() => kernels.planesExtrema(table, 1, 1, 0, table, 0)).toThrow(/assembly\/extrema\.ts/);
});
