// The kernels themselves: the debug module through AssemblyScript's loader, which turns a failed assertion
// into a message with file and line, and the release module as it ships.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { describe, expect, test } from "vitest";
import type { instantiate } from "../../build/kernels.js";
import { make } from "../data.js";
import { moments, normalize, worst } from "../reference.js";

type Kernels = Awaited<ReturnType<typeof instantiate>>;

const build = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));
const kernels: Kernels = instantiateSync<Kernels & Record<string, unknown>>(
  build("debug/kernels.wasm"),
).exports;

/** Views over fresh memory, painted around with guard values; `check` says whether they are all there. */
function guarded(length: number): { pointer: number; values: () => Float32Array; check: () => void } {
  const margin = 64;
  const pointer = kernels.allocate(4 * (length + 2 * margin)) + 4 * margin;
  const all = () => new Float32Array(kernels.memory.buffer, pointer - 4 * margin, length + 2 * margin);
  all().fill(12345);
  return {
    pointer,
    values: () => all().subarray(margin, margin + length),
    check: () => {
      expect(
        all()
          .subarray(0, margin)
          .every((value) => value === 12345),
      ).toBe(true);
      expect(
        all()
          .subarray(margin + length)
          .every((value) => value === 12345),
      ).toBe(true);
    },
  };
}

const table = kernels.allocate(12 * 4096);
const statistics = kernels.allocate(8 * 4096);
const squares = kernels.allocate(8 * 4096);
const work = kernels.allocate(16 * 4096);
const parameters = kernels.allocate(4 * 4096);

/** fold with gamma 1 and beta 0, which lie in the same padded block of memory. */
function fold(count: number, features: number): void {
  const beta = kernels.allocate(4 * 4096);
  new Float32Array(kernels.memory.buffer, parameters, 4096).fill(1);
  new Float32Array(kernels.memory.buffer, beta, 4096).fill(0);
  kernels.fold(statistics, squares, count, parameters, beta, 1e-5, features, table);
  kernels.free(beta);
}

const FEATURES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 64, 67];

describe("guards stay around every output", () => {
  test.each(FEATURES)("columns of %i features, in place and out of place", (features) => {
    // Zero, one and more turns of 4 streams, with every remainder; 16 is where f64 ends.
    for (const rows of [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 18, 19, 20, 66, 131, 300]) {
      const sizes = { outer: rows, features, inner: 1 };
      const x = make(sizes, "N(0, 1)");
      const exact = moments(x, sizes);
      const input = guarded(x.length);
      const output = guarded(x.length);
      input.values().set(x);
      kernels.columnsMoments(input.pointer, rows, features, 1, 1, 4 * features, work, statistics, squares, 0);
      fold(rows, features);
      const apply = (y: number) =>
        kernels.columnsApply(
          input.pointer,
          y,
          rows,
          features,
          1,
          4 * features,
          table,
          0,
          -Infinity,
          Infinity,
        );
      apply(output.pointer);
      apply(input.pointer);
      input.check();
      output.check();
      expect(input.values()).toEqual(output.values());
      const y = normalize(x, sizes, exact);
      expect(worst(output.values(), y, (v) => 1e-6 * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(1);
      kernels.free(input.pointer - 256);
      kernels.free(output.pointer - 256);
    }
  });

  test.each([1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 63, 64, 65, 255, 256, 257, 512, 513, 1100])(
    "planes of %i values",
    (inner) => {
      for (const features of [1, 2, 5]) {
        const sizes = { outer: 1, features, inner };
        const x = make(sizes, "N(0, 1)");
        const input = guarded(x.length);
        const output = guarded(x.length);
        input.values().set(x);
        kernels.planesMoments(input.pointer, 1, features, inner, work, statistics, squares, 0);
        fold(inner, features);
        const apply = (y: number) =>
          kernels.planesApply(input.pointer, y, 1, features, inner, table, 0, 0, -Infinity, Infinity);
        apply(output.pointer);
        apply(input.pointer);
        input.check();
        output.check();
        expect(input.values()).toEqual(output.values());
        const y = normalize(x, sizes, moments(x, sizes));
        expect(worst(output.values(), y, (v) => 1e-6 * Math.max(1, Math.abs(v))).ratio).toBeLessThanOrEqual(
          1,
        );
        kernels.free(input.pointer - 256);
        kernels.free(output.pointer - 256);
      }
    },
  );
});

describe("resuming", () => {
  test("moments in two parts are the moments of both", () => {
    const sizes = { outer: 700, features: 10, inner: 1 };
    const x = make(sizes, "mean 1e4, std 1");
    const exact = moments(x, sizes);
    const input = guarded(x.length);
    input.values().set(x);
    for (const first of [1, 5, 16, 333, 699]) {
      const at = [statistics, squares] as const;
      kernels.columnsMoments(input.pointer, first, 10, 1, 1, 40, work, ...at, 0);
      kernels.columnsMoments(input.pointer + 40 * first, 700 - first, 10, 1, 1, 40, work, ...at, first);
      const m2 = new Float64Array(kernels.memory.buffer, squares, 10);
      expect(
        worst(
          m2.map((v) => v / 700),
          exact.variance,
          (v) => 5e-7 * v,
        ).ratio,
      ).toBeLessThanOrEqual(1);
      kernels.columnsMomentsExact(input.pointer, first, 10, 1, 40, work, ...at, 0);
      kernels.columnsMomentsExact(input.pointer + 40 * first, 700 - first, 10, 1, 40, work, ...at, first);
      expect(
        worst(
          m2.map((v) => v / 700),
          exact.variance,
          (v) => 1e-12 * v,
        ).ratio,
      ).toBeLessThanOrEqual(1);
    }
  });
});

describe("assertions of the debug module", () => {
  test.each([
    [
      "columnsMoments",
      () => kernels.columnsMoments(work, 0, 1, 1, 1, 4, work, statistics, squares, 0),
      "moments-columns.ts",
    ],
    ["columnsApply", () => kernels.columnsApply(work, work, 1, 0, 1, 4, table, 0, 0, 0), "apply.ts"],
    [
      "planesMoments",
      () => kernels.planesMoments(work, 1, 1, 0, work, statistics, squares, 0),
      "moments-planes.ts",
    ],
    ["planesApply", () => kernels.planesApply(work, work, 1, 0, 1, table, 0, 0, 0, 0), "apply.ts"],
    ["fold", () => kernels.fold(statistics, squares, 1, work, work, 0, 0, table), "fold.ts"],
  ] as const)("%s names its file", (_, call, file) => {
    expect(call).toThrow(file);
  });
});

describe("the release module", () => {
  const module = new WebAssembly.Module(build("kernels.wasm"));
  const text = build("kernels.wat").toString();

  test("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test("every loop over vectors is free of calls", () => {
    const loops = innermostLoops(text).filter((loop) => loop.includes("v128.load"));
    expect(loops.length).toBeGreaterThan(20);
    for (const loop of loops) expect(loop).not.toMatch(/\bcall\b/);
  });

  test("every kernel family computes in SIMD", () => {
    for (const kernel of [
      "moments-columns/columnsSums4",
      "moments-planes/planesSums",
      "apply/applyStreams",
      "fold/fold",
    ]) {
      const body = text
        .split("\n (func $")
        .find((part) => part.replace('"', "").startsWith(`assembly/${kernel}`));
      expect(body, kernel).toMatch(/f(32x4|64x2)\.mul/);
    }
  });
});

/** The text of each loop that has no loop inside. */
function innermostLoops(text: string): string[] {
  const lines = text.split("\n");
  const loops: string[] = [];
  lines.forEach((line, start) => {
    if (!line.trimStart().startsWith("loop")) return;
    const indent = line.length - line.trimStart().length;
    const length = lines
      .slice(start + 1)
      .findIndex((next) => next.length - next.trimStart().length <= indent);
    const body = lines.slice(start + 1, start + 1 + length).join("\n");
    if (!/^\s*loop/m.test(body)) loops.push(body);
  });
  return loops;
}
