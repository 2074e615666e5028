// The reductions of statistics, for the WebAssembly backend: values that live elsewhere are staged chunk by chunk.

import type { instantiate } from "../../build/release/statistics.js";
import { text } from "../../build/statistics.wasm";
import { isFloat64Array } from "../argument.js";
import {
  type Ends,
  type LineSteps,
  type Present,
  type Span,
  type StatisticsSteps,
  type Values,
  type View,
  viewOf,
} from "../backend.js";
import type { Layout } from "../layout.js";
import { Family } from "./family.js";
import { type Chunk, STRIP, WINDOW, walk } from "./walk.js";
import type { Scratch } from "./wasm.js";

type Kernels = Awaited<ReturnType<typeof instantiate>>;

/** The window holds all they need: a chunk, then what the kernels work with, then what they return. */
class WasmStatistics implements StatisticsSteps, LineSteps {
  readonly #kernels: Kernels;
  readonly #memory: Scratch["memory"];
  readonly #window: number;
  readonly #work: number;
  readonly #results: number;
  // Views of the window, and the memory that they are of.
  #buffer: ArrayBuffer | undefined;
  #floats = new Float32Array();
  #doubles = new Float64Array();
  #first = new Float64Array();
  #second = new Float64Array();
  #third = new Float64Array();

  constructor({ memory, window }: Scratch, kernels: Kernels) {
    this.#kernels = kernels;
    this.#memory = memory;
    this.#window = window;
    this.#work = window + 4 * WINDOW;
    // Behind the bytes of a strip's sums and state, see assembly/exact.ts: more than its extrema take.
    this.#results = this.#work + 16 + 72 * STRIP;
  }

  moments(x: Values, layout: Layout, skip: boolean, { count, mean, m2 }: Present): void {
    const kernels = this.#kernels;
    const work = this.#work;
    const bytes = this.#open(x);
    const pointer = this.#memory.pointerTo(x);
    for (const strip of walk(layout, pointer !== 0, (4 * WINDOW) / bytes)) {
      const { first, width, columns, inner, copies, chunks } = strip;
      const stride = (strip.stride / 4) * bytes;
      const all = columns ? width * inner * copies : width;
      kernels.noMoments(work, all);
      for (const chunk of chunks) {
        const at = this.#load(x, chunk, pointer, bytes);
        const { rows, planes, feature, seen } = chunk;
        if (columns) kernels.columnsExact(at, rows, width * inner, copies, stride, bytes, skip, work);
        else kernels.planesExact(at, rows, planes, chunk.inner, bytes, skip, work, width, feature, seen);
      }
      kernels.collectMoments(work, all, width, columns ? inner : 1, ...this.#places());
      this.#store(first, width, count, mean, m2);
    }
  }

  extrema(x: Values, layout: Layout, { count, min, max }: Ends): void {
    const kernels = this.#kernels;
    const table = this.#work;
    const bytes = this.#open(x);
    const pointer = this.#memory.pointerTo(x);
    for (const strip of walk(layout, pointer !== 0, (4 * WINDOW) / bytes)) {
      const { first, width, columns, inner, copies, chunks } = strip;
      const stride = (strip.stride / 4) * bytes;
      const all = columns ? width * inner * copies : width;
      kernels.noExtrema(table, all, bytes);
      for (const chunk of chunks) {
        const at = this.#load(x, chunk, pointer, bytes);
        const { rows, planes, feature } = chunk;
        if (columns) kernels.columnsExtrema(at, rows, width * inner, copies, stride, bytes, table);
        else kernels.planesExtrema(at, rows, planes, chunk.inner, bytes, table, feature);
      }
      kernels.collectExtrema(table, all, width, columns ? inner : 1, bytes, ...this.#places());
      this.#store(first, width, count, min, max);
    }
  }

  lines({ min, max, low, high, constant }: Span, first: number, width: number, table: number): boolean {
    this.#open(min);
    this.#first.set(min.subarray(first, first + width));
    this.#second.set(max.subarray(first, first + width));
    const [least, most] = this.#places();
    return this.#kernels.lines(least, most, low, high, constant, width, table);
  }

  /** Views of the memory as it is now. Returns the bytes of a value. */
  #open(x: Values): 4 | 8 {
    const { buffer } = this.#memory;
    if (buffer !== this.#buffer) {
      const results = (i: number) => new Float64Array(buffer, this.#results + 8 * STRIP * i, STRIP);
      this.#floats = new Float32Array(buffer, this.#window, WINDOW);
      this.#doubles = new Float64Array(buffer, this.#window, WINDOW / 2);
      this.#first = results(0);
      this.#second = results(1);
      this.#third = results(2);
      this.#buffer = buffer;
    }
    return isFloat64Array(x) ? 8 : 4;
  }

  /** A pointer to the chunk's values: where they stand, or staged now. Rows that are apart in the array are packed. */
  #load(x: Values, { offset, length, rows, row, pitch }: Chunk, pointer: number, bytes: 4 | 8): number {
    if (pointer !== 0) return pointer + bytes * offset;
    const window: View = bytes === 8 ? this.#doubles : this.#floats;
    const array = viewOf(x);
    if (length === array.length) window.set(array);
    else if (row === pitch) window.set(array.subarray(offset, offset + length));
    else {
      for (let i = 0, from = offset; i < rows; i++, from += pitch) {
        window.set(array.subarray(from, from + row), i * row);
      }
    }
    return this.#window;
  }

  /** Where the kernels write what they return. */
  #places(): [number, number, number] {
    return [this.#results, this.#results + 8 * STRIP, this.#results + 16 * STRIP];
  }

  #store(at: number, width: number, first: Float64Array, second: Float64Array, third: Float64Array): void {
    first.set(this.#first.subarray(0, width), at);
    second.set(this.#second.subarray(0, width), at);
    third.set(this.#third.subarray(0, width), at);
  }
}

export const statistics = /* @__PURE__ */ new Family<Kernels, StatisticsSteps & LineSteps>(
  "statistics",
  text,
  (scratch, kernels) => new WasmStatistics(scratch, kernels),
);
