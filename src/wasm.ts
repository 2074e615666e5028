// The WebAssembly backend: one instance, its linear memory, and the staging of arrays that live elsewhere.
//
// All scratch memory is part of the initial size, so that calls on plain arrays never grow it: one
// growth slows every typed-array loop of a V8 process by 17 to 40 %. No view is kept across a growth.

/// <reference path="./bytes.d.ts" />

import type { instantiate } from "../build/kernels.js";
import base64 from "../build/kernels.wasm";
import type {
  After,
  Backend,
  Block,
  Coefficients,
  Extremes,
  Gradients,
  Norm,
  Statistics,
  Table,
} from "./backend.js";
import { javascript } from "./javascript.js";
import { type Layout, samples } from "./layout.js";
import {
  type Chunk,
  chunksOf,
  copiesOf,
  part,
  STRIP,
  type Strip,
  stage,
  strideOf,
  stripOf,
  unstage,
  WIDE,
  WINDOW,
} from "./strip.js";

/** The kernels, as the compiler itself declares them. */
type Kernels = Awaited<ReturnType<typeof instantiate>>;

/** Values up to which training copies an array once and holds it, instead of streaming it twice. */
const HOLD = 1024 * 1024;

/** Values up to which a call is faster in JavaScript: 3 × 2 takes 0.2 µs there, and 0.5 µs through here. */
const TINY = 128;

/** Readable bytes that reductions need past the last row. */
const SLACK = 32;

/** Bytes of the largest block that the allocator hands out. */
const MOST = 2 ** 30 - 128;

/** By brand: modules may come from another realm. */
export function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

function compile(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(decode(base64));
  } catch {
    return null;
  }
}

/** The bytes of a base64 text. atob is five times as fast in a cold process, but not everywhere. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((text.length / 4) * 3 - (text.match(/=*$/)?.[0].length ?? 0));
  if (typeof atob === "function") {
    const characters = atob(text);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    return bytes;
  }
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0, at = 0, bits = 0; at < bytes.length; i++) {
    bits = (bits << 6) | digits.indexOf(text[i]);
    if (i % 4 > 0) bytes[at++] = bits >> (6 - 2 * (i % 4));
  }
  return bytes;
}

// Cloudflare Workers compile only while modules are evaluated; elsewhere the first use is early enough.
let compiled: WebAssembly.Module | null | undefined =
  globalThis.navigator?.userAgent === "Cloudflare-Workers" ? compile() : undefined;

/** The kernels that ship with this file, or null where they cannot be compiled. */
export function bundledModule(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compile();
  return compiled;
}

/** Where x, y and the residual stand in linear memory: pointers, 0 for an array that lives elsewhere. */
interface Places {
  readonly x: number;
  readonly y: number;
  readonly residual: number;
}

const ELSEWHERE: Places = { x: 0, y: 0, residual: 0 };

export class Wasm implements Backend {
  readonly name = "wasm";
  readonly #kernels: Kernels;

  // Pointers into the scratch memory.
  readonly #gamma: number;
  readonly #beta: number;
  readonly #mean: number;
  readonly #m2: number;
  readonly #s1: number;
  readonly #s2: number;
  readonly #table: number;
  readonly #work: number;
  readonly #wideMean: number;
  readonly #wideM2: number;
  readonly #wideS1: number;
  readonly #wideS2: number;
  readonly #wideTable: number;
  readonly #window: number;
  readonly #residual: number;

  // Views of the same, renewed after a growth.
  #buffer: ArrayBufferLike | undefined;
  #gammas = new Float32Array();
  #betas = new Float32Array();
  #means = new Float64Array();
  #m2s = new Float64Array();
  #s1s = new Float64Array();
  #s2s = new Float64Array();
  #values = new Float32Array();
  #residuals = new Float32Array();

  constructor(module: WebAssembly.Module) {
    // The one place where the compiler's declaration meets its module.
    this.#kernels = new WebAssembly.Instance(module, {}).exports as Kernels;
    this.#gamma = this.#scratch(4 * STRIP);
    this.#beta = this.#scratch(4 * STRIP);
    this.#mean = this.#scratch(8 * STRIP);
    this.#m2 = this.#scratch(8 * STRIP);
    this.#s1 = this.#scratch(8 * STRIP);
    this.#s2 = this.#scratch(8 * STRIP);
    this.#table = this.#scratch(16 * STRIP);
    this.#work = this.#scratch(16 * STRIP);
    this.#wideMean = this.#scratch(8 * WIDE);
    this.#wideM2 = this.#scratch(8 * WIDE);
    this.#wideS1 = this.#scratch(8 * WIDE);
    this.#wideS2 = this.#scratch(8 * WIDE);
    this.#wideTable = this.#scratch(16 * WIDE);
    this.#window = this.#scratch(4 * HOLD + SLACK);
    this.#residual = this.#scratch(4 * WINDOW);
    this.#view();
  }

  // ---------------------------------------------------------------------------------- memory

  allocate(length: number): Block {
    const kernels = this.#kernels;
    const { taken, pointer } = this.#take(4 * length + SLACK);
    let values = new Float32Array(kernels.memory.buffer, pointer, length).fill(0);
    return {
      view: () => {
        // A growth has left it with length 0.
        if (values.length !== length) values = new Float32Array(kernels.memory.buffer, pointer, length);
        return values;
      },
      free: () => kernels.free(taken),
    };
  }

  /** Grows the memory once for `bytes` that tensors will take. */
  reserve(bytes: number): void {
    this.#kernels.free(this.#take(bytes).taken);
  }

  /** A block of linear memory, and a pointer in it that is aligned to a cache line. */
  #take(bytes: number): { taken: number; pointer: number } {
    try {
      if (bytes > MOST) throw new RangeError(`a block has at most ${MOST} bytes`);
      const taken = this.#kernels.allocate(bytes + 48) >>> 0;
      return { taken, pointer: taken + (-taken & 63) };
    } catch (cause) {
      throw new RangeError(
        `memory: expected ${bytes} bytes to be free, got fewer (dispose tensors, or use smaller ones)`,
        { cause },
      );
    }
  }

  #scratch(bytes: number): number {
    return this.#take(bytes).pointer;
  }

  #view(): void {
    const buffer = this.#kernels.memory.buffer;
    this.#buffer = buffer;
    this.#gammas = new Float32Array(buffer, this.#gamma, STRIP);
    this.#betas = new Float32Array(buffer, this.#beta, STRIP);
    this.#means = new Float64Array(buffer, this.#mean, STRIP);
    this.#m2s = new Float64Array(buffer, this.#m2, STRIP);
    this.#s1s = new Float64Array(buffer, this.#s1, STRIP);
    this.#s2s = new Float64Array(buffer, this.#s2, STRIP);
    this.#values = new Float32Array(buffer, this.#window, HOLD);
    this.#residuals = new Float32Array(buffer, this.#residual, WINDOW);
  }

  /** Where the arrays of a call stand. */
  #places(x: Float32Array, y: Float32Array, residual: Float32Array | null): Places {
    // A growth has left every view with length 0.
    if (this.#values.length === 0) this.#view();
    return { x: this.#pointer(x), y: this.#pointer(y), residual: residual ? this.#pointer(residual) : 0 };
  }

  #pointer(array: Float32Array): number {
    return array.buffer === this.#buffer ? array.byteOffset : 0;
  }

  // ----------------------------------------------------------------------------------- steps

  reduce(x: Float32Array, layout: Layout, statistics: Statistics): void {
    if (layout.length <= TINY) {
      javascript.reduce(x, layout, statistics);
      return;
    }
    const places = this.#places(x, x, null);
    statistics.count = samples(layout);
    for (let first = 0; first < layout.features; first += STRIP) {
      this.#reduce(stripOf(layout, first), x, places.x, statistics);
    }
  }

  extrema(x: Float32Array, layout: Layout, extrema: Extremes): void {
    if (layout.length <= TINY) {
      javascript.extrema(x, layout, extrema);
      return;
    }
    const places = this.#places(x, x, null);
    for (let first = 0; first < layout.features; first += STRIP) {
      this.#extrema(stripOf(layout, first), x, places.x, extrema);
    }
  }

  normalize(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    after: After,
  ): void {
    if (layout.length <= TINY) {
      javascript.normalize(x, y, layout, statistics, norm, after);
      return;
    }
    const places = this.#places(x, y, after.residual);
    for (let first = 0; first < layout.features; first += STRIP) {
      const strip = stripOf(layout, first);
      this.#means.set(part(statistics.mean, strip));
      this.#m2s.set(part(statistics.m2, strip));
      this.#fold(strip, statistics.count, norm);
      this.#apply(strip, this.#tile(strip, this.#table), x, y, after, places);
    }
  }

  train(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    after: After,
  ): void {
    if (layout.length <= TINY) {
      javascript.train(x, y, layout, statistics, norm, after);
      return;
    }
    const places = this.#places(x, y, after.residual);
    const keep = places.x === 0 && layout.length <= HOLD && layout.features <= STRIP;
    statistics.count = samples(layout);
    for (let first = 0; first < layout.features; first += STRIP) {
      const strip = stripOf(layout, first);
      this.#reduce(strip, x, places.x, statistics, keep);
      this.#fold(strip, statistics.count, norm);
      this.#apply(strip, this.#tile(strip, this.#table), x, y, after, places, keep);
    }
  }

  table(coefficients: Coefficients, single = coefficients): Table {
    const { center, scale, shift } = single;
    const tiny = javascript.table(coefficients);
    const kernels = this.#kernels;
    const features = center.length;
    const copies = copiesOf(features, Number.POSITIVE_INFINITY);
    const width = Math.ceil((features * copies) / 8) * 8;
    const { taken, pointer } = this.#take(12 * width);
    const table = new Float32Array(kernels.memory.buffer, pointer, 3 * width);
    for (let i = 0; i < features * copies; i++) {
      const j = i % features;
      const at = 24 * Math.floor(i / 8) + (i % 8);
      // x − center must not overflow, see fold.ts.
      const far =
        single === coefficients && Math.abs(center[j]) > 2 ** 126 && Math.abs(center[j] * scale[j]) < 1024;
      table[at] = far ? 0 : center[j];
      table[at + 8] = scale[j];
      // What rounding took from the center.
      table[at + 16] = shift[j] + (table[at] - center[j]) * scale[j];
    }
    return {
      apply: (x, y, layout, after) => {
        if (layout.length <= TINY) return tiny.apply(x, y, layout, after);
        const places = this.#places(x, y, after.residual);
        for (let first = 0; first < layout.features; first += STRIP) {
          const strip = stripOf(layout, first, copies);
          const own = pointer + 12 * first;
          this.#apply(strip, layout.inner === 1 ? own : this.#tile(strip, own), x, y, after, places);
        }
      },
      free: () => kernels.free(taken),
    };
  }

  // ---------------------------------------------------------------------------------- reduce

  /** The strip's statistics, into scratch memory and `statistics`; `keep` leaves all of a staged x in the window. */
  #reduce(strip: Strip, x: Float32Array, place: number, statistics: Statistics, keep = false): void {
    const stride = strideOf(strip, place !== 0);
    const chunks = chunksOf(strip, place !== 0);
    const moments = strip.columns ? this.#columnsMoments : this.#planesMoments;
    this.#each(moments, strip, chunks, stride, x, place, keep);
    if (this.#kernels.doubtful(this.#mean, this.#m2, statistics.count, strip.width)) {
      const exact = strip.layout.inner === 1 ? this.#columnsMomentsExact : this.#planesMomentsExact;
      // What was kept is staged already.
      this.#each(exact, strip, chunks, stride, x, keep ? this.#window : place, keep);
    }
    statistics.mean.set(this.#means.subarray(0, strip.width), strip.first);
    statistics.m2.set(this.#m2s.subarray(0, strip.width), strip.first);
  }

  /** Adds every chunk of x to the statistics in scratch memory. */
  #each(
    add: (x: number, strip: Strip, chunk: Chunk, stride: number) => void,
    strip: Strip,
    chunks: readonly Chunk[],
    stride: number,
    x: Float32Array,
    place: number,
    keep: boolean,
  ): void {
    for (const chunk of chunks) {
      const at = keep ? chunk.offset : 0;
      if (place === 0) stage(this.#values, at, x, strip, chunk);
      add.call(this, place === 0 ? this.#window + 4 * at : place + 4 * chunk.offset, strip, chunk, stride);
    }
  }

  #columnsMoments(x: number, strip: Strip, chunk: Chunk, stride: number): void {
    const kernels = this.#kernels;
    const { width, copies } = strip;
    const { rows, inner, seen } = chunk;
    if (copies * inner === 1) {
      kernels.columnsMoments(x, rows, width, stride, this.#work, this.#mean, this.#m2, seen);
      return;
    }
    const tall = Math.floor(rows / copies);
    const done = tall * copies;
    this.#wideMoments(x, tall, width * inner * copies, stride * copies, strip, seen);
    this.#wideMoments(x + done * stride, rows - done, width * inner, stride, strip, seen + done * inner);
  }

  /** Moments of rows in which every feature stands more than once. */
  #wideMoments(x: number, rows: number, wide: number, stride: number, strip: Strip, seen: number): void {
    if (rows === 0) return;
    const { inner } = strip.layout;
    this.#kernels.columnsMoments(x, rows, wide, stride, this.#work, this.#wideMean, this.#wideM2, 0);
    this.#kernels.tileMoments(
      this.#wideMean,
      this.#wideM2,
      rows,
      strip.width,
      inner,
      wide,
      this.#mean,
      this.#m2,
      seen,
    );
  }

  #planesMoments(x: number, _: Strip, { rows, feature, planes, inner, seen }: Chunk): void {
    const mean = this.#mean + 8 * feature;
    const m2 = this.#m2 + 8 * feature;
    for (let image = 0; image < rows; image++) {
      const plane = x + 4 * image * planes * inner;
      this.#kernels.planesMoments(plane, planes, inner, this.#work, mean, m2, seen + image * inner);
    }
  }

  #columnsMomentsExact(x: number, { width }: Strip, { rows, seen }: Chunk, stride: number): void {
    this.#kernels.columnsMomentsExact(x, rows, width, stride, this.#work, this.#mean, this.#m2, seen);
  }

  #planesMomentsExact(x: number, _: Strip, { rows, feature, planes, inner, seen }: Chunk): void {
    const mean = this.#mean + 8 * feature;
    const m2 = this.#m2 + 8 * feature;
    for (let image = 0; image < rows; image++) {
      const plane = x + 4 * image * planes * inner;
      this.#kernels.planesMomentsExact(plane, planes, inner, mean, m2, seen + image * inner);
    }
  }

  // --------------------------------------------------------------------------------- extrema

  /** The strip's extrema, into `extrema`. Rows that fill no tiled one have a table of their own. */
  #extrema(strip: Strip, x: Float32Array, place: number, extrema: Extremes): void {
    const kernels = this.#kernels;
    const { width, columns, copies, layout } = strip;
    const row = columns ? width * layout.inner : width;
    const whole = this.#work;
    const rest = whole + 8 * STRIP;
    kernels.noExtrema(whole, row * copies);
    kernels.noExtrema(rest, row);
    const stride = strideOf(strip, place !== 0);
    for (const chunk of chunksOf(strip, place !== 0)) {
      if (place === 0) stage(this.#values, 0, x, strip, chunk);
      const from = place === 0 ? this.#window : place + 4 * chunk.offset;
      if (columns) this.#columnsExtrema(from, chunk.rows, row, copies, stride, whole, rest);
      else this.#planesExtrema(from, chunk, whole);
    }
    this.#collect(whole, row * copies, strip, extrema);
    if (copies > 1) this.#collect(rest, row, strip, extrema);
  }

  #columnsExtrema(
    x: number,
    rows: number,
    row: number,
    copies: number,
    stride: number,
    whole: number,
    rest: number,
  ): void {
    const tall = Math.floor(rows / copies);
    const done = tall * copies;
    if (tall > 0) this.#kernels.columnsExtrema(x, tall, row * copies, stride * copies, whole);
    if (done < rows) this.#kernels.columnsExtrema(x + done * stride, rows - done, row, stride, rest);
  }

  #planesExtrema(x: number, { rows, feature, planes, inner }: Chunk, table: number): void {
    for (let image = 0; image < rows; image++) {
      this.#kernels.planesExtrema(x + 4 * image * planes * inner, planes, inner, table, feature);
    }
  }

  /** A table of `length` columns, in which every feature may stand more than once, joins the extrema. */
  #collect(
    table: number,
    length: number,
    { first, width, columns, layout }: Strip,
    { min, max }: Extremes,
  ): void {
    const values = new Float32Array(this.#kernels.memory.buffer, table, 16 * Math.ceil(length / 8));
    const inner = columns ? layout.inner : 1;
    for (let column = 0, feature = first; column < length; ) {
      for (const end = column + inner; column < end; column++) {
        const at = 16 * (column >> 3) + (column & 7);
        min[feature] = Math.min(min[feature], values[at]);
        max[feature] = Math.max(max[feature], values[at + 8]);
      }
      if (++feature === first + width) feature = first;
    }
  }

  // ------------------------------------------------------------------------------------ fold

  /** The statistics in scratch memory and the parameters become the strip's table there. */
  #fold(strip: Strip, count: number, { gamma, beta, epsilon }: Norm): void {
    const { width } = strip;
    load(this.#gammas, gamma, 1, strip);
    load(this.#betas, beta, 0, strip);
    this.#kernels.fold(this.#mean, this.#m2, count, this.#gamma, this.#beta, epsilon, width, this.#table);
  }

  /** The table that the strip is walked with: a wider one if every feature stands in a row more than once. */
  #tile({ width, columns, copies, layout }: Strip, table: number, group = 96): number {
    const wide = width * layout.inner * copies;
    if (!columns || wide === width) return table;
    this.#kernels.tileTable(table, width, layout.inner, wide, this.#wideTable, group);
    return this.#wideTable;
  }

  // ----------------------------------------------------------------------------------- apply

  /** `kept`: all of x is in the window already. */
  #apply(
    strip: Strip,
    table: number,
    x: Float32Array,
    y: Float32Array,
    after: After,
    places: Places,
    kept = false,
  ): void {
    const { residual } = after;
    const direct = places.x !== 0 && places.y !== 0 && (residual === null || places.residual !== 0);
    // A strip of wider rows is staged altogether, so that x, y and residual share their stride.
    const place = direct || strip.packed ? places : ELSEWHERE;
    const stride = strideOf(strip, direct);
    for (const chunk of chunksOf(strip, direct)) {
      const at = kept ? chunk.offset : 0;
      if (place.x === 0 && !kept) stage(this.#values, at, x, strip, chunk);
      const from = place.x === 0 ? this.#window + 4 * at : place.x + 4 * chunk.offset;
      const to = place.y === 0 ? this.#window + 4 * at : place.y + 4 * chunk.offset;
      let added = 0;
      if (place.residual !== 0) {
        added = place.residual + 4 * chunk.offset;
      } else if (residual !== null) {
        stage(this.#residuals, 0, residual, strip, chunk);
        added = this.#residual;
      }
      if (strip.columns) this.#columnsApply(strip, chunk, stride, table, from, to, added, after);
      else this.#planesApply(chunk, table, from, to, added, after);
      if (place.y === 0) unstage(y, this.#values, at, strip, chunk);
    }
  }

  #columnsApply(
    { width, copies, layout }: Strip,
    { rows }: Chunk,
    stride: number,
    table: number,
    x: number,
    y: number,
    residual: number,
    { low, high }: After,
  ): void {
    const kernels = this.#kernels;
    const row = width * layout.inner;
    if (copies === 1) {
      kernels.columnsApply(x, y, rows, row, stride, table, residual, low, high);
      return;
    }
    const tall = Math.floor(rows / copies);
    if (tall > 0) {
      kernels.columnsApply(x, y, tall, row * copies, stride * copies, table, residual, low, high);
    }
    const done = tall * copies;
    const rest = (rows - done) * row;
    if (rest > 0) {
      const skip = done * stride;
      const added = residual === 0 ? 0 : residual + skip;
      kernels.columnsApply(x + skip, y + skip, 1, rest, 4 * rest, table, added, low, high);
    }
  }

  #planesApply(
    { rows, feature, planes, inner }: Chunk,
    table: number,
    x: number,
    y: number,
    residual: number,
    { low, high }: After,
  ): void {
    for (let image = 0; image < rows; image++) {
      const skip = 4 * image * planes * inner;
      const added = residual === 0 ? 0 : residual + skip;
      this.#kernels.planesApply(x + skip, y + skip, planes, inner, table, feature, added, low, high);
    }
  }

  // -------------------------------------------------------------------------------- backward

  backward(
    x: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    gradients: Gradients,
  ): void {
    if (layout.length <= TINY) {
      javascript.backward(x, dy, dx, layout, statistics, norm, gradients);
      return;
    }
    const places = this.#places(x, dx, dy);
    const { dGamma, dBeta } = gradients;
    for (let first = 0; first < layout.features; first += STRIP) {
      const strip = stripOf(layout, first);
      const { width } = strip;
      this.#means.set(part(statistics.mean, strip));
      this.#m2s.set(part(statistics.m2, strip));
      load(this.#gammas, norm.gamma, 1, strip);
      this.#backward(strip, x, dy, dx, places, statistics.count, norm.epsilon);
      dGamma.set(this.#s2s.subarray(0, width), first);
      dBeta.set(this.#s1s.subarray(0, width), first);
    }
  }

  /** dx of a strip; its dgamma and dbeta, in s2 and s1. */
  #backward(
    strip: Strip,
    x: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    places: Places,
    count: number,
    epsilon: number,
  ): void {
    const kernels = this.#kernels;
    const { width } = strip;
    const direct = places.x !== 0 && places.y !== 0 && places.residual !== 0;
    const place = direct || strip.packed ? places : ELSEWHERE;
    const stride = strideOf(strip, direct);
    const chunks = chunksOf(strip, direct);
    this.#s1s.fill(0, 0, width);
    this.#s2s.fill(0, 0, width);
    kernels.gradientWork(this.#mean, width, this.#work);
    const work = this.#tile(strip, this.#work);
    for (const chunk of chunks) {
      if (place.x === 0) stage(this.#values, 0, x, strip, chunk);
      if (place.residual === 0) stage(this.#residuals, 0, dy, strip, chunk);
      const from = place.x === 0 ? this.#window : place.x + 4 * chunk.offset;
      const beside = place.residual === 0 ? this.#residual : place.residual + 4 * chunk.offset;
      if (strip.columns) this.#columnsGradients(strip, chunk, stride, work, from, beside);
      else this.#planesGradients(chunk, from, beside);
    }
    kernels.foldGradients(
      this.#mean,
      this.#m2,
      count,
      this.#gamma,
      epsilon,
      width,
      this.#s1,
      this.#s2,
      this.#table,
    );
    const table = this.#tile(strip, this.#table, 128);
    // From the end, because the last chunk is still staged.
    for (let i = chunks.length - 1; i >= 0; i--) {
      const chunk = chunks[i];
      const staged = i === chunks.length - 1;
      if (place.x === 0 && !staged) stage(this.#values, 0, x, strip, chunk);
      if (place.residual === 0 && !staged) stage(this.#residuals, 0, dy, strip, chunk);
      const from = place.x === 0 ? this.#window : place.x + 4 * chunk.offset;
      const beside = place.residual === 0 ? this.#residual : place.residual + 4 * chunk.offset;
      const to = place.y === 0 ? this.#window : place.y + 4 * chunk.offset;
      if (strip.columns) this.#columnsBackward(strip, chunk, stride, table, from, beside, to);
      else this.#planesBackward(chunk, table, from, beside, to);
      if (place.y === 0) unstage(dx, this.#values, 0, strip, chunk);
    }
  }

  #columnsGradients(
    { width, copies, layout }: Strip,
    { rows }: Chunk,
    stride: number,
    work: number,
    x: number,
    dy: number,
  ): void {
    const kernels = this.#kernels;
    const { inner } = layout;
    if (copies * inner === 1) {
      kernels.columnsGradients(x, dy, rows, width, stride, work, this.#s1, this.#s2);
      return;
    }
    const tall = Math.floor(rows / copies);
    for (const [start, height, wide] of [
      [0, tall, width * inner * copies],
      [tall * copies, rows - tall * copies, width * inner],
    ]) {
      if (height === 0) continue;
      const skip = start * stride;
      kernels.columnsGradients(x + skip, dy + skip, height, wide, 4 * wide, work, this.#wideS1, this.#wideS2);
      kernels.tileSums(this.#wideS1, width, inner, wide, this.#s1);
      kernels.tileSums(this.#wideS2, width, inner, wide, this.#s2);
    }
  }

  #planesGradients({ rows, feature, planes, inner }: Chunk, x: number, dy: number): void {
    const skip = 8 * feature;
    for (let image = 0; image < rows; image++) {
      const at = 4 * image * planes * inner;
      this.#kernels.planesGradients(
        x + at,
        dy + at,
        planes,
        inner,
        this.#mean + skip,
        this.#s1 + skip,
        this.#s2 + skip,
      );
    }
  }

  #columnsBackward(
    { width, copies, layout }: Strip,
    { rows }: Chunk,
    stride: number,
    table: number,
    x: number,
    dy: number,
    dx: number,
  ): void {
    const kernels = this.#kernels;
    const row = width * layout.inner;
    if (copies === 1) {
      kernels.columnsBackward(x, dy, dx, rows, row, stride, table);
      return;
    }
    const tall = Math.floor(rows / copies);
    const done = tall * copies * stride;
    const rest = (rows - tall * copies) * row;
    if (tall > 0) kernels.columnsBackward(x, dy, dx, tall, row * copies, stride * copies, table);
    if (rest > 0) kernels.columnsBackward(x + done, dy + done, dx + done, 1, rest, 4 * rest, table);
  }

  #planesBackward(
    { rows, feature, planes, inner }: Chunk,
    table: number,
    x: number,
    dy: number,
    dx: number,
  ): void {
    for (let image = 0; image < rows; image++) {
      const at = 4 * image * planes * inner;
      this.#kernels.planesBackward(x + at, dy + at, dx + at, planes, inner, table, feature);
    }
  }
}

/** A parameter of the strip's features into its view; `none` stands for one that the layer has not. */
function load(view: Float32Array, values: Float32Array | null, none: number, strip: Strip): void {
  if (values) view.set(part(values, strip));
  else view.fill(none, 0, strip.width);
}
