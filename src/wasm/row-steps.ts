// The steps on rows, for the WebAssembly backend: whole rows, staged chunk by chunk where they live elsewhere.

import type { instantiate } from "../../build/release/rows.js";
import { text } from "../../build/rows.wasm";
import { type Gradients, type RowNorm, type RowSteps, type Rows, viewOf } from "../backend.js";
import { Family } from "./family.js";
import { WINDOW } from "./walk.js";
import type { Scratch } from "./wasm.js";

type Kernels = Awaited<ReturnType<typeof instantiate>>;

/** Features of the longest rows whose parameters, gradients and two chunks the window has room for. */
export const LONGEST = 65_536;

/** Values that the kernels work with, beside 2 per feature. */
const WORK = 1024;

/** Values between two chunks, so that they do not lie equal modulo 4096 bytes: see memory.ts. */
const APART = 272;

class WasmRowSteps implements RowSteps {
  readonly #scratch: Scratch;
  readonly #kernels: Kernels;
  /** The window, and how many of its values are taken. */
  #window = new Float32Array();
  #taken = 0;

  constructor(scratch: Scratch, kernels: Kernels) {
    this.#scratch = scratch;
    this.#kernels = kernels;
  }

  apply(norm: RowNorm, x: Rows, y: Rows, skip: Rows | null, sum: Rows | null): void {
    this.#begin();
    const { features, epsilon, gamma, beta, centered } = norm;
    const g = this.#parameter(gamma, features, 1);
    const b = centered ? this.#parameter(beta, features, 0) : 0;
    const work = this.#take(WORK);
    const first = this.#taken;
    const second = secondAfter(first, features);
    const [atX, atY, atSkip, atSum] = [
      this.#pointerTo(x),
      this.#pointerTo(y),
      this.#pointerTo(skip),
      this.#pointerTo(sum),
    ];
    const resident =
      atX !== 0 && atY !== 0 && (skip === null || atSkip !== 0) && (sum === null || atSum !== 0);
    const { length } = viewOf(x);
    const most = resident ? length : chunkOf(features);
    for (let offset = 0; offset < length; offset += most) {
      const chunk = { offset, length: Math.min(most, length - offset) };
      const rows = chunk.length / features;
      const from = this.#load(x, atX, chunk, first);
      const added = skip ? this.#load(skip, atSkip, chunk, second) : 0;
      const to = this.#room(atY, chunk, first);
      const sums = sum ? this.#room(atSum, chunk, second) : 0;
      if (centered) this.#kernels.layerNorm(from, to, rows, features, epsilon, g, b, added, sums, work);
      else this.#kernels.rmsNorm(from, to, rows, features, epsilon, g, added, sums, work);
      if (atY === 0) this.#store(y, chunk, first);
      if (sum && atSum === 0) this.#store(sum, chunk, second);
    }
  }

  backward(norm: RowNorm, x: Rows, dy: Rows, dx: Rows, { dGamma, dBeta }: Gradients): void {
    this.#begin();
    const { features, epsilon, gamma, centered } = norm;
    // float64 first: it is aligned to 8 bytes.
    const columns = padded(features);
    const s2 = this.#take(2 * columns);
    const s1 = this.#take(2 * columns);
    const sums = new Float64Array(this.#scratch.memory.buffer, s2, 2 * columns).fill(0);
    const g = this.#parameter(gamma, features, 1);
    const work = this.#take(WORK + 2 * columns);
    const first = this.#taken;
    const second = secondAfter(first, features);
    const [atX, atSlope, atResult] = [this.#pointerTo(x), this.#pointerTo(dy), this.#pointerTo(dx)];
    const { length } = viewOf(x);
    const most = atX !== 0 && atSlope !== 0 && atResult !== 0 ? length : chunkOf(features);
    for (let offset = 0; offset < length; offset += most) {
      const chunk = { offset, length: Math.min(most, length - offset) };
      const rows = chunk.length / features;
      const from = this.#load(x, atX, chunk, first);
      const slope = this.#load(dy, atSlope, chunk, second);
      const to = this.#room(atResult, chunk, first);
      if (centered) {
        this.#kernels.layerNormBackward(from, slope, to, rows, features, epsilon, g, s2, s1, work);
      } else this.#kernels.rmsNormBackward(from, slope, to, rows, features, epsilon, g, s2, work);
      if (atResult === 0) this.#store(dx, chunk, first);
    }
    for (let j = 0; j < features; j++) {
      dGamma[j] += sums[j];
      dBeta[j] += sums[columns + j];
    }
  }

  // ---------------------------------------------------------------------------------- staging

  /** Nothing is taken; a growth leaves views with length 0. */
  #begin(): void {
    this.#taken = 0;
    if (this.#window.length > 0) return;
    const { memory, window, room } = this.#scratch;
    this.#window = new Float32Array(memory.buffer, window, room);
  }

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

  /** Where values stand in linear memory, or 0. An array there has been given as a block: to ask it costs 20 ns. */
  #pointerTo(values: Rows | null): number {
    return values === null || ArrayBuffer.isView(values) ? 0 : this.#scratch.memory.pointerTo(values);
  }

  /** A pointer to a chunk: where it stands, or staged now. */
  #load(values: Rows, pointer: number, chunk: Chunk, at: number): number {
    if (pointer === 0) {
      const { offset, length } = chunk;
      const array = viewOf(values);
      this.#window.set(length === array.length ? array : array.subarray(offset, offset + length), at);
    }
    return this.#room(pointer, chunk, at);
  }

  /** A pointer to write a chunk to. */
  #room(pointer: number, { offset }: Chunk, at: number): number {
    return pointer === 0 ? this.#scratch.window + 4 * at : pointer + 4 * offset;
  }

  /** Back to where the array lives. */
  #store(values: Rows, { offset, length }: Chunk, at: number): void {
    viewOf(values).set(this.#window.subarray(at, at + length), offset);
  }
}

export const rows = /* @__PURE__ */ new Family<Kernels, RowSteps>(
  "rows",
  text,
  (scratch, kernels) => new WasmRowSteps(scratch, kernels),
);

/** Kernels read and write eight values at a time. */
function padded(features: number): number {
  return (features + 7) & ~7;
}

/** Values of whole rows that are staged at once. */
function chunkOf(features: number): number {
  return Math.max(1, Math.floor(WINDOW / features)) * features;
}

/** Where a second chunk is staged, behind one that begins at `first`. */
function secondAfter(first: number, features: number): number {
  return first + padded(Math.max(WINDOW, features)) + APART;
}

/** Values of an array. */
interface Chunk {
  readonly offset: number;
  readonly length: number;
}
