// The WebAssembly backend: the steps. For every strip of a layout and every chunk of a strip, one kernel is called.
//
// Where a value is staged: operand.ts. How a layout is cut: walk.ts. Where memory comes from: memory.ts.
//
// All scratch memory is part of the initial size, so that calls on plain arrays, but for the tables that maps keep, never
// grow it: one growth slows every typed-array loop of a V8 process by 17 to 40 %.

import {
  type After,
  type Backend,
  type Block,
  type Coefficients,
  type Folded,
  type Gradients,
  type Kept,
  type Mapping,
  type Norm,
  type Packed,
  type Pass,
  runOn,
  type Statistics,
  type Table,
  type Values,
} from "../backend.js";
import { javascript } from "../javascript/javascript.js";
import { type Layout, samples } from "../layout.js";
import { Floats, Memory } from "./memory.js";
import type { Kernels } from "./module.js";
import { Operand, Window } from "./operand.js";
import { copiesOf, STRIP, type Strip, WIDE, WINDOW, walk } from "./walk.js";

/** Values up to which an array is staged once and stays, instead of being staged for every step. */
const HOLD = 1024 * 1024;

/** Bytes of a packed table per group of 8 features: see assembly/table.ts. */
const MAP_GROUP = 96;
const SLOPE_GROUP = 128;

/** Bytes of what a map is folded from, per 8 features: see assembly/fold.ts. */
const INPUTS = 192;

export class Wasm implements Backend, Pass {
  readonly name = "wasm";
  readonly #kernels: Kernels;
  readonly #memory: Memory;

  // Scratch memory: what is folded, what it is folded to, and what kernels work with.
  readonly #gamma;
  readonly #beta;
  readonly #mean;
  readonly #m2;
  readonly #first;
  readonly #second;
  readonly #table: number;
  readonly #tiled: number;
  readonly #scratch: number;
  readonly #window: Window;

  readonly scratch: Scratch;

  // The running call's arrays, and how they are walked.
  readonly #x: Operand;
  readonly #y: Operand;
  readonly #beside: Operand;
  #resident = false;
  #walked: Walked = { outer: 0, features: 0, inner: 0, resident: false, strips: [] };

  constructor(kernels: Kernels) {
    const memory = new Memory(kernels);
    this.#kernels = kernels;
    this.#memory = memory;
    this.#gamma = memory.zeros(Float32Array, STRIP);
    this.#beta = memory.zeros(Float32Array, STRIP);
    this.#mean = memory.zeros(Float64Array, STRIP);
    this.#m2 = memory.zeros(Float64Array, STRIP);
    this.#first = memory.zeros(Float64Array, STRIP);
    this.#second = memory.zeros(Float64Array, STRIP);
    this.#table = memory.take(16 * STRIP).pointer;
    this.#tiled = memory.take(16 * WIDE).pointer;
    this.#scratch = memory.take(32 * STRIP).pointer;
    this.#window = new Window(memory, HOLD);
    this.scratch = {
      ...{ linear: kernels.memory, memory, table: this.#scratch },
      ...{ window: this.#window.pointer, room: HOLD },
    };
    this.#x = new Operand(memory, this.#window);
    this.#y = new Operand(memory, this.#window, this.#x);
    this.#beside = new Operand(memory, new Window(memory, WINDOW));
  }

  allocate(length: number): Block {
    return this.#memory.zeros(Float32Array, length);
  }

  /** A view of this memory as a block, which is found again when the memory has grown. */
  placed(values: Float32Array): Float32Array | Block {
    return this.#memory.placed(values);
  }

  table(mapping: Mapping): Table {
    const kernels = this.#kernels;
    const { features, map, packed = this.#packed(map) } = mapping;
    const copies = copiesOf(features, Number.POSITIVE_INFINITY);
    const { pointer, free } = this.#memory.take(MAP_GROUP * Math.ceil((features * copies) / 8));
    let held = true;
    for (let first = 0; first < features; first += STRIP) {
      const width = Math.min(STRIP, features - first);
      const table = pointer + (MAP_GROUP / 8) * first;
      const single = copies === 1 ? table : this.#table;
      held = packed(first, width, single) && held;
      if (single !== table) kernels.tileTable(single, width, 1, width * copies, table, MAP_GROUP);
    }
    return { ...mapping, pointer: held ? pointer : 0, copies, free };
  }

  keep(features: number): Kept {
    // Of one strip: more are folded anew.
    const groups = features > STRIP ? 0 : Math.ceil(features / 8);
    const { pointer, free } = this.#memory.take((MAP_GROUP + INPUTS) * groups);
    return { pointer, held: undefined, free };
  }

  #packed({ center, scale, shift }: Coefficients): Packed {
    return (first, width, table) => {
      const strip = { first, width };
      this.#mean.values.set(part(center, strip));
      this.#m2.values.set(part(scale, strip));
      this.#first.values.set(part(shift, strip));
      return this.#kernels.pack(this.#mean.pointer, this.#m2.pointer, this.#first.pointer, width, table);
    };
  }

  // ------------------------------------------------------------------------------------ pass

  map(x: Values, y: Values, beside: Values | null, layout: Layout, map: Folded, after: After): void {
    if (beside === null && Floats.is(x) && Floats.is(y) && this.#mapAtOnce(x, y, layout, map, after)) return;
    this.open(x, y, beside);
    try {
      this.apply(layout, map, after);
    } finally {
      this.close();
    }
  }

  /** One call of a kernel, without a pass, where values stand in memory as rows of one strip. Returns whether they do. */
  #mapAtOnce(x: Floats, y: Floats, layout: Layout, map: Folded, { low, high }: After): boolean {
    const from = this.#memory.pointerTo(x);
    const to = this.#memory.pointerTo(y);
    if (from === 0 || to === 0) return false;
    this.#resident = true;
    const strips = this.#walk(layout);
    if (strips.length !== 1 || !strips[0].columns) return false;
    const table = this.#fold(strips[0], map);
    if (table === 0) return false;
    const { width, inner, stride } = strips[0];
    const copies = copiesIn(map, strips[0]);
    this.#kernels.columnsApply(from, to, layout.outer, width * inner, copies, stride, table, 0, low, high);
    return true;
  }

  open(x: Values, y: Values | null, beside: Values | null): Pass {
    this.#x.take(x);
    this.#y.take(y);
    this.#beside.take(beside);
    this.#resident = this.#x.resident && this.#y.resident && this.#beside.resident;
    return this;
  }

  close(): void {
    this.#x.drop();
    this.#y.drop();
    this.#beside.drop();
  }

  moments(layout: Layout, into: Statistics): void {
    const kernels = this.#kernels;
    const { pointer: mean } = this.#mean;
    const { pointer: m2 } = this.#m2;
    into.count = samples(layout);
    for (const strip of this.#read(layout)) {
      const { first, width, columns, inner, copies, stride, chunks } = strip;
      for (const chunk of chunks) {
        const x = this.#x.load(chunk);
        const { rows, feature, planes, seen } = chunk;
        const at = 8 * feature;
        if (columns) {
          kernels.columnsMoments(x, rows, width, inner, copies, stride, this.#scratch, mean, m2, seen);
        } else {
          kernels.planesMoments(x, rows, planes, chunk.inner, this.#scratch, mean + at, m2 + at, seen);
        }
      }
      if (kernels.doubtful(mean, m2, into.count, width)) {
        for (const chunk of chunks) {
          const x = this.#x.load(chunk);
          const { rows, feature, planes, seen } = chunk;
          const at = 8 * feature;
          if (columns) {
            kernels.columnsMomentsExact(x, rows, width, inner, stride, this.#scratch, mean, m2, seen);
          } else {
            kernels.planesMomentsExact(x, rows, planes, chunk.inner, mean + at, m2 + at, seen);
          }
        }
      }
      into.mean.set(this.#mean.values.subarray(0, width), first);
      into.m2.set(this.#m2.values.subarray(0, width), first);
    }
  }

  gradients(layout: Layout, statistics: Statistics, norm: Norm, into: Gradients): void {
    const kernels = this.#kernels;
    const { pointer: mean } = this.#mean;
    const { pointer: s1 } = this.#first;
    const { pointer: s2 } = this.#second;
    for (const strip of this.#read(layout)) {
      const { first, width, columns, inner, copies, stride, chunks } = strip;
      this.#about(strip, statistics);
      this.#first.values.fill(0, 0, width);
      this.#second.values.fill(0, 0, width);
      for (const chunk of chunks) {
        const x = this.#x.load(chunk);
        const dy = this.#beside.load(chunk);
        const { rows, feature, planes } = chunk;
        const at = 8 * feature;
        if (columns) {
          kernels.columnsGradients(x, dy, rows, width, inner, copies, stride, this.#scratch, mean, s1, s2);
        } else {
          kernels.planesGradients(x, dy, rows, planes, chunk.inner, mean + at, s1 + at, s2 + at);
        }
      }
      if (!kernels.foldSums(mean, this.#m2.pointer, statistics.count, norm.epsilon, width, s1, s2)) {
        this.#loop((pass) => pass.gradients(layout, statistics, norm, into));
        return;
      }
      into.dBeta.set(this.#first.values.subarray(0, width), first);
      into.dGamma.set(this.#second.values.subarray(0, width), first);
    }
  }

  apply(layout: Layout, map: Folded, after: After): void {
    const kernels = this.#kernels;
    const { low, high } = after;
    const strips = this.#walk(layout);
    let table = 0;
    // Before anything is written, because y may be x.
    for (const strip of strips) {
      table = this.#fold(strip, map);
      if (table !== 0) continue;
      this.#loop((pass) => pass.apply(layout, map, after));
      return;
    }
    for (const strip of strips) {
      if (strips.length > 1) table = this.#fold(strip, map);
      const { width, columns, inner, stride, chunks } = strip;
      const copies = copiesIn(map, strip);
      for (const chunk of chunks) {
        const x = this.#x.load(chunk);
        const added = this.#beside.load(chunk);
        const y = this.#y.room(chunk);
        const { rows, feature, planes } = chunk;
        if (columns) kernels.columnsApply(x, y, rows, width * inner, copies, stride, table, added, low, high);
        else kernels.planesApply(x, y, rows, planes, chunk.inner, table, feature, added, low, high);
        this.#y.store(chunk);
      }
    }
  }

  slope(layout: Layout, statistics: Statistics, norm: Norm, gradients: Gradients): void {
    const kernels = this.#kernels;
    const strips = this.#walk(layout);
    // Before anything is written, because dx may be x or dy.
    for (const strip of strips) {
      if (this.#foldSlope(strip, statistics, norm, gradients)) continue;
      this.#loop((pass) => pass.slope(layout, statistics, norm, gradients));
      return;
    }
    for (const strip of strips) {
      if (strips.length > 1) this.#foldSlope(strip, statistics, norm, gradients);
      const { width, columns, inner, copies, stride, chunks } = strip;
      const table = this.#tile(strip, this.#table, SLOPE_GROUP);
      // From the end, because the last chunks are still staged.
      for (let i = chunks.length - 1; i >= 0; i--) {
        const chunk = chunks[i];
        const x = this.#x.load(chunk);
        const dy = this.#beside.load(chunk);
        const dx = this.#y.room(chunk);
        const { rows, feature, planes } = chunk;
        if (columns) kernels.columnsBackward(x, dy, dx, rows, width * inner, copies, stride, table);
        else kernels.planesBackward(x, dy, dx, rows, planes, chunk.inner, table, feature);
        this.#y.store(chunk);
      }
    }
  }

  // ------------------------------------------------------------------------------------ fold

  /** The strip's table, as it is read: of its statistics and parameters. 0 where float32 does not hold the map. */
  #fold(strip: Strip, map: Folded): number {
    const { width } = strip;
    if ("pointer" in map) {
      const table = map.pointer && map.pointer + (MAP_GROUP / 8) * strip.first;
      return table && strip.inner > 1 ? this.#tile(strip, table, MAP_GROUP) : table;
    }
    if ("map" in map) {
      const { packed = this.#packed(map.map) } = map;
      return packed(strip.first, width, this.#table) ? this.#tile(strip, this.#table, MAP_GROUP) : 0;
    }
    const { statistics, norm } = map;
    this.#about(strip, statistics);
    this.#parameters(strip, norm);
    const { pointer: mean } = this.#mean;
    const { pointer: m2 } = this.#m2;
    const { pointer: gamma } = this.#gamma;
    const { pointer: beta } = this.#beta;
    // What is kept is of one strip.
    const kept = width === statistics.mean.length ? map.kept : undefined;
    const table = kept?.pointer ?? this.#table;
    const inputs = table + MAP_GROUP * Math.ceil(width / 8);
    const same = kept !== undefined && this.#kernels.keep(mean, m2, gamma, beta, width, inputs);
    const before = same ? kept.held : undefined;
    const held =
      before ?? this.#kernels.fold(mean, m2, statistics.count, gamma, beta, norm.epsilon, width, table);
    if (kept) kept.held = held;
    return held ? this.#tile(strip, table, MAP_GROUP) : 0;
  }

  /** The same for the slope of dx. */
  #foldSlope(strip: Strip, statistics: Statistics, norm: Norm, { dGamma, dBeta }: Gradients): boolean {
    this.#about(strip, statistics);
    this.#parameters(strip, norm);
    this.#first.values.set(part(dBeta, strip));
    this.#second.values.set(part(dGamma, strip));
    const { pointer: mean } = this.#mean;
    const { pointer: m2 } = this.#m2;
    const { pointer: gamma } = this.#gamma;
    const { pointer: b } = this.#first;
    const { pointer: g } = this.#second;
    const { count } = statistics;
    return this.#kernels.foldSlope(mean, m2, count, gamma, norm.epsilon, strip.width, b, g, this.#table);
  }

  /** A table of rows that are read as one. */
  #tile({ width, columns, inner, copies }: Strip, table: number, group: number): number {
    const wide = width * inner * copies;
    if (!columns || wide === width) return table;
    this.#kernels.tileTable(table, width, inner, wide, this.#tiled, group);
    return this.#tiled;
  }

  #about(strip: Strip, { mean, m2 }: Statistics): void {
    this.#mean.values.set(part(mean, strip));
    this.#m2.values.set(part(m2, strip));
  }

  /** A parameter that the layer has not is 1 or 0. */
  #parameters(strip: Strip, { gamma, beta }: Norm): void {
    if (gamma) this.#gamma.values.set(part(gamma, strip));
    else this.#gamma.values.fill(1, 0, strip.width);
    if (beta) this.#beta.values.set(part(beta, strip));
    else this.#beta.values.fill(0, 0, strip.width);
  }

  /** Runs a step by loops, in float64, where float32 does not hold what is computed. */
  #loop(step: (pass: Pass) => void): void {
    runOn(javascript, this.#x.array, this.#y.values, this.#beside.values, step);
  }

  // ------------------------------------------------------------------------------------ walk

  /** The strips of x for a reduction: what it stages stays for the step that writes y. */
  #read(layout: Layout): readonly Strip[] {
    if (this.#y.values !== null) this.#x.keep();
    return this.#walk(layout);
  }

  /** The steps of a call, and calls that follow each other, mostly walk alike. */
  #walk(layout: Layout): readonly Strip[] {
    const { outer, features, inner } = layout;
    const resident = this.#resident;
    const last = this.#walked;
    const same = last.outer === outer && last.features === features && last.inner === inner;
    if (same && last.resident === resident) return last.strips;
    const strips = walk(layout, resident);
    this.#walked = { outer, features, inner, resident, strips };
    return strips;
  }
}

/** What kernels of other modules work with: between passes nothing in it is kept. */
export interface Scratch {
  readonly linear: WebAssembly.Memory;
  readonly memory: Memory;
  /** Room for so many values. */
  readonly window: number;
  readonly room: number;
  /** Room for what is small. */
  readonly table: number;
}

/** How a layout was walked. */
interface Walked {
  readonly outer: number;
  readonly features: number;
  readonly inner: number;
  readonly resident: boolean;
  readonly strips: readonly Strip[];
}

/** How many rows the strip's table is of: a map's own, of as many as it was made for. */
function copiesIn(map: Folded, { inner, copies }: Strip): number {
  return "pointer" in map && inner === 1 ? map.copies : copies;
}

type Part = Pick<Strip, "first" | "width">;

/** The strip's part of an array per feature. */
function part<Values extends Float32Array | Float64Array>(values: Values, strip: Part): Values;
function part(values: Float32Array | Float64Array, { first, width }: Part): Float32Array | Float64Array {
  return width === values.length ? values : values.subarray(first, first + width);
}
