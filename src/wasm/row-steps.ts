// The steps on rows, for the WebAssembly backend: whole rows, staged chunk by chunk where they live elsewhere.

import type { instantiate } from "../../build/rows.js";
import { text } from "../../build/rows.wasm";
import { type Gradients, type RowNorm, type RowSteps, type Rows, viewOf } from "../backend.js";
import { Bundled } from "./module.js";
import { WINDOW } from "./walk.js";
import type { Scratch } from "./wasm.js";

type Kernels = Awaited<ReturnType<typeof instantiate>>;

const bundled = /* @__PURE__ */ new Bundled<Kernels>("rows", text);

/** Features of the longest rows whose parameters, gradients and two chunks the window has room for. */
const LONGEST = 65_536;

/** Values that the kernels work with, beside 2 per feature. */
const WORK = 1024;

/** Values between two chunks, so that they do not lie equal modulo 4096 bytes: see memory.ts. */
const APART = 272;

/** The steps in a backend's memory, or null where their module cannot run, or rows are too long for it. */
export function wasmRowSteps(scratch: Scratch, features: number): RowSteps | null {
  const kernels = features <= LONGEST ? bundled.on(scratch.linear) : null;
  return kernels && new WasmRowSteps(scratch, kernels);
}

class WasmRowSteps implements RowSteps {
  readonly #scratch: Scratch;
  readonly #kernels: Kernels;
  /** The window, and how many of its values are taken. */
  readonly #window: Float32Array;
  #taken = 0;

  constructor(scratch: Scratch, kernels: Kernels) {
    this.#scratch = scratch;
    this.#kernels = kernels;
    this.#window = new Float32Array(scratch.memory.buffer, scratch.window, scratch.room);
  }

  apply(norm: RowNorm, x: Rows, y: Rows, skip: Rows | null, sum: Rows | null): void {
    const { features, epsilon, gamma, beta, centered } = norm;
    const g = this.#parameter(gamma, features, 1);
    const b = centered ? this.#parameter(beta, features, 0) : 0;
    const work = this.#take(WORK);
    const [first, second] = this.#windows(features);
    for (const chunk of this.#chunks(features, [x, y, skip, sum])) {
      const from = this.#load(x, chunk, first);
      const added = skip ? this.#load(skip, chunk, second) : 0;
      const to = this.#room(y, chunk, first);
      const sums = sum ? this.#room(sum, chunk, second) : 0;
      const { rows } = chunk;
      if (centered) this.#kernels.layerNorm(from, to, rows, features, epsilon, g, b, added, sums, work);
      else this.#kernels.rmsNorm(from, to, rows, features, epsilon, g, added, sums, work);
      this.#store(y, chunk, first);
      if (sum) this.#store(sum, chunk, second);
    }
  }

  backward(norm: RowNorm, x: Rows, dy: Rows, dx: Rows, { dGamma, dBeta }: Gradients): void {
    const { features, epsilon, gamma, centered } = norm;
    // float64 first: it is aligned to 8 bytes.
    const columns = padded(features);
    const s2 = this.#take(2 * columns);
    const s1 = this.#take(2 * columns);
    const sums = new Float64Array(this.#scratch.memory.buffer, s2, 2 * columns).fill(0);
    const g = this.#parameter(gamma, features, 1);
    const work = this.#take(WORK + 2 * columns);
    const [first, second] = this.#windows(features);
    for (const chunk of this.#chunks(features, [x, dy, dx])) {
      const from = this.#load(x, chunk, first);
      const slope = this.#load(dy, chunk, second);
      const to = this.#room(dx, chunk, first);
      const { rows } = chunk;
      if (centered) {
        this.#kernels.layerNormBackward(from, slope, to, rows, features, epsilon, g, s2, s1, work);
      } else this.#kernels.rmsNormBackward(from, slope, to, rows, features, epsilon, g, s2, work);
      this.#store(dx, chunk, first);
    }
    for (let j = 0; j < features; j++) {
      dGamma[j] += sums[j];
      dBeta[j] += sums[columns + j];
    }
  }

  // ---------------------------------------------------------------------------------- staging

  /** A pointer to so many values of the window, aligned to 32 bytes. */
  #take(length: number): number {
    const pointer = this.#scratch.window + 4 * this.#taken;
    this.#taken += padded(length);
    return pointer;
  }

  /** A parameter that the layer has not is 1 or 0. */
  #parameter(values: Float32Array | null, features: number, none: number): number {
    const at = this.#taken;
    const pointer = this.#take(features);
    if (values) this.#window.set(values, at);
    else this.#window.fill(none, at, at + features);
    return pointer;
  }

  /** Where chunks are staged: at these values of the window. */
  #windows(features: number): [first: number, second: number] {
    const first = this.#taken;
    return [first, first + padded(Math.max(WINDOW, features)) + APART];
  }

  /** All rows, or as many at a time as a window holds. */
  *#chunks(features: number, arrays: readonly (Rows | null)[]): Generator<Chunk> {
    const { memory } = this.#scratch;
    const resident = arrays.every((values) => values === null || memory.pointerTo(values) !== 0);
    const all = arrays[0] ? viewOf(arrays[0]).length / features : 0;
    const most = resident ? all : Math.max(1, Math.floor(WINDOW / features));
    for (let row = 0; row < all; row += most) {
      const rows = Math.min(most, all - row);
      yield { offset: row * features, length: rows * features, rows };
    }
  }

  /** A pointer to a chunk: where it stands, or staged now. */
  #load(values: Rows, chunk: Chunk, at: number): number {
    const { offset, length } = chunk;
    if (this.#scratch.memory.pointerTo(values) === 0) {
      const array = viewOf(values);
      this.#window.set(length === array.length ? array : array.subarray(offset, offset + length), at);
    }
    return this.#room(values, chunk, at);
  }

  /** A pointer to write a chunk to. */
  #room(values: Rows, { offset }: Chunk, at: number): number {
    const pointer = this.#scratch.memory.pointerTo(values);
    return pointer === 0 ? this.#scratch.window + 4 * at : pointer + 4 * offset;
  }

  /** Back to where the array lives. */
  #store(values: Rows, { offset, length }: Chunk, at: number): void {
    if (this.#scratch.memory.pointerTo(values) !== 0) return;
    viewOf(values).set(this.#window.subarray(at, at + length), offset);
  }
}

/** Kernels read and write eight values at a time. */
function padded(features: number): number {
  return (features + 7) & ~7;
}

interface Chunk {
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
}
