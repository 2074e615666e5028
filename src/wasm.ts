/// <reference path="./bytes.d.ts" />

// The WebAssembly backend: one instance, its linear memory, and the staging of arrays that live elsewhere.
//
// All scratch memory is part of the initial size, so that calls on plain arrays never grow it: one
// growth slows every typed-array loop of a V8 process by 17 to 40 %. No view is kept across a growth.

import type { instantiate } from "../build/kernels.js";
import bytes from "../build/kernels.wasm";
import type { Backend, Block, Norm, Statistics } from "./backend.js";
import { type Layout, samples } from "./layout.js";

/** The kernels, as the compiler itself declares them. */
type Kernels = Awaited<ReturnType<typeof instantiate>>;

/** Features whose tables fit the scratch memory; wider data is walked in strips of as many. */
const STRIP = 4096;

/** Columns of the widest view that narrow rows are tiled into. */
const WIDE = 1024;

/** Planes as small as this are cheaper as columns, if there are images enough to share the table. */
const SMALL_PLANE = 16;

/** Values per chunk, staged or not: 64 to 256 KB measure alike, more falls out of the cache. */
const WINDOW = 48 * 1024;

/** Values up to which training copies an array once and holds it, instead of streaming it twice. */
const HOLD = 1024 * 1024;

/** Readable bytes that reductions need past the last row. */
const SLACK = 32;

/** Bytes of the largest block that the allocator hands out. */
const MOST = 2 ** 30 - 64;

function exhausted(bytes: number, cause?: unknown): RangeError {
  return new RangeError(
    `memory: expected ${bytes} bytes to be free, got none (dispose tensors, or process in parts)`,
    {
      cause,
    },
  );
}

/** By brand: modules may come from another realm. */
export function isModule(value: unknown): value is WebAssembly.Module {
  return (
    Object.prototype.toString.call(value) === "[object WebAssembly.Module]"
  );
}

function compile(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    return null;
  }
}

// Cloudflare Workers compile only while modules are evaluated; elsewhere the first use is early enough.
let compiled: WebAssembly.Module | null | undefined =
  globalThis.navigator?.userAgent === "Cloudflare-Workers"
    ? compile()
    : undefined;

/** The kernels that ship with this file, or null where they cannot be compiled. */
export function bundledModule(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compile();
  return compiled;
}

/** Features first … first + width of a layout, as the kernels walk them. */
interface Strip {
  readonly layout: Layout;
  readonly first: number;
  readonly width: number;
  /** Whether rows of width · inner columns are walked, or planes. */
  readonly columns: boolean;
  /** Whether its chunks are contiguous: not in a strip of columns of wider rows. */
  readonly packed: boolean;
  /** How many rows are tiled into one, so that a row is wide and has no tail. */
  readonly copies: number;
}

/** A piece of a strip: `rows` rows, or as many images of `planes` planes of `inner` values. */
interface Chunk {
  /** Where it begins in the array. */
  readonly offset: number;
  /** How many values it has. */
  readonly length: number;
  readonly rows: number;
  /** The first plane's feature, counted from the strip's first. */
  readonly feature: number;
  readonly planes: number;
  readonly inner: number;
  /** Values per feature in the chunks before it. */
  readonly seen: number;
}

export class Wasm implements Backend {
  readonly name = "wasm";
  readonly #kernels: Kernels;

  // Pointers into the scratch memory.
  readonly #gamma: number;
  readonly #beta: number;
  readonly #mean: number;
  readonly #m2: number;
  readonly #table: number;
  readonly #work: number;
  readonly #wideMean: number;
  readonly #wideM2: number;
  readonly #wideTable: number;
  readonly #window: number;

  // Views of the same, renewed after a growth.
  #buffer: ArrayBufferLike | undefined;
  #gammas = new Float32Array();
  #betas = new Float32Array();
  #means = new Float64Array();
  #m2s = new Float64Array();
  #values = new Float32Array();

  constructor(module: WebAssembly.Module) {
    // The one place where the compiler's declaration meets its module.
    this.#kernels = new WebAssembly.Instance(module, {}).exports as Kernels;
    this.#gamma = this.#scratch(4 * STRIP);
    this.#beta = this.#scratch(4 * STRIP);
    this.#mean = this.#scratch(8 * STRIP);
    this.#m2 = this.#scratch(8 * STRIP);
    this.#table = this.#scratch(12 * STRIP);
    this.#work = this.#scratch(16 * STRIP);
    this.#wideMean = this.#scratch(8 * WIDE);
    this.#wideM2 = this.#scratch(8 * WIDE);
    this.#wideTable = this.#scratch(12 * WIDE);
    this.#window = this.#scratch(4 * HOLD + SLACK);
    this.#view();
  }

  reduce(x: Float32Array, layout: Layout, statistics: Statistics): void {
    this.#refresh();
    statistics.count = samples(layout);
    for (let first = 0; first < layout.features; first += STRIP) {
      this.#reduce(stripOf(layout, first), x, this.#pointer(x), statistics);
    }
  }

  normalize(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
  ): void {
    this.#refresh();
    for (let first = 0; first < layout.features; first += STRIP) {
      const strip = stripOf(layout, first);
      this.#means.set(part(statistics.mean, strip));
      this.#m2s.set(part(statistics.m2, strip));
      this.#fold(strip, statistics.count, norm);
      this.#apply(strip, x, this.#pointer(x), y, this.#pointer(y));
    }
  }

  train(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
  ): void {
    this.#refresh();
    statistics.count = samples(layout);
    let from = this.#pointer(x);
    let to = this.#pointer(y);
    const hold = from === 0 && to === 0 && layout.length <= HOLD;
    if (hold) {
      this.#values.set(x);
      from = this.#window;
      to = this.#window;
    }
    for (let first = 0; first < layout.features; first += STRIP) {
      const strip = stripOf(layout, first);
      this.#reduce(strip, x, from, statistics);
      this.#fold(strip, statistics.count, norm);
      this.#apply(strip, x, from, y, to);
    }
    if (hold) y.set(this.#values.subarray(0, layout.length));
  }

  // ---------------------------------------------------------------------------------- memory

  allocate(length: number): Block {
    const kernels = this.#kernels;
    const block = this.#take(4 * length + SLACK);
    new Float32Array(kernels.memory.buffer, block.pointer, length).fill(0);
    return {
      view: () =>
        new Float32Array(kernels.memory.buffer, block.pointer, length),
      free: () => kernels.free(block.taken),
    };
  }

  /** Grows the memory once for `bytes` that tensors will take. */
  reserve(bytes: number): void {
    this.#kernels.free(this.#take(bytes).taken);
  }

  /** A block of linear memory whose pointer is aligned to a cache line. */
  #take(bytes: number): { taken: number; pointer: number } {
    if (bytes > MOST) throw exhausted(bytes);
    try {
      const taken = this.#kernels.allocate(bytes + 48) >>> 0;
      return { taken, pointer: taken + (-taken & 63) };
    } catch (cause) {
      throw exhausted(bytes, cause);
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
    this.#values = new Float32Array(buffer, this.#window, HOLD);
  }

  /** A growth leaves every view with length 0. */
  #refresh(): void {
    if (this.#values.length === 0) this.#view();
  }

  /** Where an array stands in linear memory; 0 if it lives elsewhere. */
  #pointer(x: Float32Array): number {
    return x.buffer === this.#buffer ? x.byteOffset : 0;
  }

  /** A chunk of x in linear memory: where it stands, or staged into the window. */
  #load(x: Float32Array, from: number, strip: Strip, chunk: Chunk): number {
    if (from !== 0) return from + 4 * chunk.offset;
    if (strip.packed) {
      this.#values.set(slice(x, chunk.offset, chunk.length));
    } else {
      const { features } = strip.layout;
      for (let row = 0; row < chunk.rows; row++) {
        const offset = chunk.offset + row * features;
        this.#values.set(
          x.subarray(offset, offset + strip.width),
          row * strip.width,
        );
      }
    }
    return this.#window;
  }

  /** The staged chunk, back into y. */
  #save(y: Float32Array, strip: Strip, chunk: Chunk): void {
    if (strip.packed) {
      y.set(this.#values.subarray(0, chunk.length), chunk.offset);
    } else {
      const { features } = strip.layout;
      for (let row = 0; row < chunk.rows; row++) {
        const staged = this.#values.subarray(
          row * strip.width,
          (row + 1) * strip.width,
        );
        y.set(staged, chunk.offset + row * features);
      }
    }
  }

  // ---------------------------------------------------------------------------------- reduce

  /** The strip's statistics, into scratch memory and `statistics`. */
  #reduce(
    strip: Strip,
    x: Float32Array,
    from: number,
    statistics: Statistics,
  ): void {
    const chunks = chunksOf(strip, from !== 0);
    const stride =
      4 *
      (from !== 0 ? strip.layout.features : strip.width) *
      (strip.columns ? strip.layout.inner : 1);
    for (const chunk of chunks) {
      const pointer = this.#load(x, from, strip, chunk);
      if (strip.columns)
        this.#columnsMoments(pointer, strip, chunk.rows, stride, chunk.seen);
      else this.#planesMoments(pointer, chunk);
    }
    if (
      this.#kernels.doubtful(
        this.#mean,
        this.#m2,
        statistics.count,
        strip.width,
      )
    ) {
      for (const chunk of chunks) {
        const pointer = this.#load(x, from, strip, chunk);
        this.#momentsExact(pointer, strip, chunk, stride);
      }
    }
    statistics.mean.set(this.#means.subarray(0, strip.width), strip.first);
    statistics.m2.set(this.#m2s.subarray(0, strip.width), strip.first);
  }

  #columnsMoments(
    pointer: number,
    strip: Strip,
    rows: number,
    stride: number,
    seen: number,
  ): void {
    const kernels = this.#kernels;
    const { width, copies, layout } = strip;
    if (copies * layout.inner === 1) {
      kernels.columnsMoments(
        pointer,
        rows,
        width,
        stride,
        this.#work,
        this.#mean,
        this.#m2,
        seen,
      );
      return;
    }
    const tiled = Math.floor(rows / copies);
    if (tiled > 0) {
      const wide = width * layout.inner * copies;
      kernels.columnsMoments(
        pointer,
        tiled,
        wide,
        stride * copies,
        this.#work,
        this.#wideMean,
        this.#wideM2,
        0,
      );
      kernels.tileMoments(
        this.#wideMean,
        this.#wideM2,
        tiled,
        width,
        layout.inner,
        wide,
        this.#mean,
        this.#m2,
        seen,
      );
    }
    const rest = rows - tiled * copies;
    if (rest > 0) {
      const done = tiled * copies;
      const plain = { ...strip, copies: 1 };
      this.#columnsMoments(
        pointer + done * stride,
        plain,
        rest,
        stride,
        seen + done * layout.inner,
      );
    }
  }

  #planesMoments(
    pointer: number,
    { rows, feature, planes, inner, seen }: Chunk,
  ): void {
    const mean = this.#mean + 8 * feature;
    const m2 = this.#m2 + 8 * feature;
    for (let image = 0; image < rows; image++) {
      const x = pointer + 4 * image * planes * inner;
      this.#kernels.planesMoments(
        x,
        planes,
        inner,
        this.#work,
        mean,
        m2,
        seen + image * inner,
      );
    }
  }

  #momentsExact(
    pointer: number,
    strip: Strip,
    chunk: Chunk,
    stride: number,
  ): void {
    const { rows, feature, planes, inner, seen } = chunk;
    if (strip.layout.inner === 1) {
      this.#kernels.columnsMomentsExact(
        pointer,
        rows,
        strip.width,
        stride,
        this.#work,
        this.#mean,
        this.#m2,
        seen,
      );
      return;
    }
    const mean = this.#mean + 8 * feature;
    const m2 = this.#m2 + 8 * feature;
    for (let image = 0; image < rows; image++) {
      const x = pointer + 4 * image * planes * inner;
      this.#kernels.planesMomentsExact(
        x,
        planes,
        inner,
        mean,
        m2,
        seen + image * inner,
      );
    }
  }

  // ------------------------------------------------------------------------------------ fold

  /** The statistics in scratch memory and the parameters become the strip's table. */
  #fold(strip: Strip, count: number, { gamma, beta, epsilon }: Norm): void {
    const { width, copies, layout } = strip;
    if (gamma) this.#gammas.set(part(gamma, strip));
    else this.#gammas.fill(1, 0, width);
    if (beta) this.#betas.set(part(beta, strip));
    else this.#betas.fill(0, 0, width);
    this.#kernels.fold(
      this.#mean,
      this.#m2,
      count,
      this.#gamma,
      this.#beta,
      epsilon,
      width,
      this.#table,
    );
    if (strip.columns && copies * layout.inner > 1) {
      this.#kernels.tileTable(
        this.#table,
        width,
        layout.inner,
        width * layout.inner * copies,
        this.#wideTable,
      );
    }
  }

  // ----------------------------------------------------------------------------------- apply

  #apply(
    strip: Strip,
    x: Float32Array,
    from: number,
    y: Float32Array,
    to: number,
  ): void {
    const direct = from !== 0 && to !== 0;
    const stride =
      4 *
      (direct ? strip.layout.features : strip.width) *
      (strip.columns ? strip.layout.inner : 1);
    // A strip of wider rows is staged on both sides, so that x and y share their stride.
    const source = direct || strip.packed ? from : 0;
    const target = direct || strip.packed ? to : 0;
    for (const chunk of chunksOf(strip, direct)) {
      if (source === 0 && target !== 0) {
        y.set(slice(x, chunk.offset, chunk.length), chunk.offset);
      }
      const at = target === 0 ? this.#window : target + 4 * chunk.offset;
      const pointer =
        source === 0 && target !== 0 ? at : this.#load(x, source, strip, chunk);
      if (strip.columns)
        this.#columnsApply(pointer, at, strip, chunk.rows, stride);
      else this.#planesApply(pointer, at, chunk);
      if (target === 0) this.#save(y, strip, chunk);
    }
  }

  #columnsApply(
    x: number,
    y: number,
    { width, copies, layout }: Strip,
    rows: number,
    stride: number,
  ): void {
    const row = width * layout.inner;
    if (copies * layout.inner === 1) {
      this.#kernels.columnsApply(x, y, rows, row, stride, this.#table);
      return;
    }
    const tiled = Math.floor(rows / copies);
    if (tiled > 0)
      this.#kernels.columnsApply(
        x,
        y,
        tiled,
        row * copies,
        stride * copies,
        this.#wideTable,
      );
    const done = tiled * copies;
    if (done < rows) {
      const rest = (rows - done) * row;
      this.#kernels.columnsApply(
        x + done * stride,
        y + done * stride,
        1,
        rest,
        4 * rest,
        this.#wideTable,
      );
    }
  }

  #planesApply(
    x: number,
    y: number,
    { rows, feature, planes, inner }: Chunk,
  ): void {
    for (let image = 0; image < rows; image++) {
      const offset = 4 * image * planes * inner;
      this.#kernels.planesApply(
        x + offset,
        y + offset,
        planes,
        inner,
        this.#table,
        feature,
      );
    }
  }
}

/** length values of x from an offset, without a new view where that is all of x. */
function slice(x: Float32Array, offset: number, length: number): Float32Array {
  return length === x.length ? x : x.subarray(offset, offset + length);
}

/** The strip's part of an array per feature. */
function part<T extends Float32Array | Float64Array>(
  values: T,
  { first, width }: Strip,
): T;
function part(
  values: Float32Array | Float64Array,
  { first, width }: Strip,
): Float32Array | Float64Array {
  return width === values.length
    ? values
    : values.subarray(first, first + width);
}

function stripOf(layout: Layout, first: number): Strip {
  const { outer, features, inner } = layout;
  const width = Math.min(STRIP, features - first);
  const columns =
    inner === 1 ||
    (inner <= SMALL_PLANE && features * inner <= WIDE && outer >= 64);
  const copies = columns ? copiesOf(width * inner, outer) : 1;
  return {
    layout,
    first,
    width,
    columns,
    copies,
    packed: !(columns && width < features),
  };
}

/** Rows to tile into one, so that it is at least 64 columns and a multiple of 8; 1 where that does not pay. */
function copiesOf(width: number, rows: number): number {
  let copies = 1;
  while ((width * copies) % 8 !== 0 || width * copies < 64) copies++;
  return width * copies <= WIDE && rows >= 32 * copies ? copies : 1;
}

/** The chunks of a strip: as large as possible in place, window by window if staged. */
function chunksOf(strip: Strip, inPlace: boolean): Chunk[] {
  const { layout, first, width, columns, copies } = strip;
  const { outer, features, inner } = layout;
  const chunks: Chunk[] = [];
  if (columns) {
    const row = width * inner;
    const rows = inPlace
      ? outer
      : Math.max(1, Math.floor(WINDOW / (row * copies))) * copies;
    for (let start = 0; start < outer; start += rows) {
      const count = Math.min(rows, outer - start);
      const offset = start * features * inner + first;
      chunks.push({
        offset,
        length: count * row,
        rows: count,
        feature: 0,
        planes: width,
        inner,
        seen: start * inner,
      });
    }
    return chunks;
  }
  const image = features * inner;
  if (width === features && image <= WINDOW) {
    const images = Math.floor(WINDOW / image);
    for (let start = 0; start < outer; start += images) {
      const rows = Math.min(images, outer - start);
      chunks.push({
        offset: start * image,
        length: rows * image,
        rows,
        feature: 0,
        planes: features,
        inner,
        seen: start * inner,
      });
    }
    return chunks;
  }
  // Within an image an even number of planes, because their moments are merged in pairs; or parts of a plane.
  const group = inner * 2 <= WINDOW ? Math.floor(WINDOW / inner / 2) * 2 : 1;
  for (let start = 0; start < outer; start++) {
    for (let feature = 0; feature < width; feature += group) {
      const planes = Math.min(group, width - feature);
      for (let done = 0; done < inner; done += WINDOW) {
        const piece = group > 1 ? inner : Math.min(WINDOW, inner - done);
        const offset = start * image + (first + feature) * inner + done;
        chunks.push({
          offset,
          length: planes * piece,
          rows: 1,
          feature,
          planes,
          inner: piece,
          seen: start * inner + done,
        });
        if (group > 1) break;
      }
    }
  }
  return chunks;
}
