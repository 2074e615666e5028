// The kernels of the debug module, whose failed assertions are errors with file and line, and memory that is painted
// around whatever they are given: what they write beside their outputs shows, and so does what they read past their
// inputs, because results must not depend on the paint.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { expect } from "vitest";
import type { instantiate } from "../../build/release/kernels.js";
import type { instantiate as statistics } from "../../build/release/statistics.js";
import { make } from "../data.js";
import { worst } from "../reference.js";

export type Kernels = Awaited<ReturnType<typeof instantiate>>;
export type Statistics = Awaited<ReturnType<typeof statistics>>;

export const build = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));

export const kernels: Kernels = instantiateSync<Kernels & Record<string, unknown>>(
  build("debug/kernels.wasm"),
).exports;

/** The kernels of statistics, in a memory of their own: in debug modules stands what assertions say. */
export function statisticsOf(name: string): { statistics: Statistics; space: Space } {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const { exports } = instantiateSync<Statistics & Record<string, unknown>>(build(name), { env: { memory } });
  return { statistics: exports, space: { memory, arena: 2 ** 20 } };
}

/** Values that spoil sums, extrema and products, or that nobody would take for a result. */
const PAINTS = [Number.NaN, -1e30, 12345];

/** Values between two blocks. */
const MARGIN = 32;

const ROOM = 2 ** 18;

/** Memory of a module, and where in it is room for what is painted. */
export interface Space {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly arena: number;
}

const own: Space = { memory: kernels.memory, arena: kernels.allocate(4 * ROOM) };

export type Floats = Float32Array | Float64Array;

/** Rows of values, `pitch` values from one to the next. */
export interface Rows<Values extends Floats = Float32Array> {
  readonly values: Values;
  readonly row: number;
  readonly pitch: number;
}

/** Values per feature, padded to a multiple of 8. */
export const padded = (features: number) => 8 * Math.ceil(features / 8);

/** The memory of one call. */
export class Painted {
  readonly #space: Space;
  readonly #words: Uint32Array;
  readonly #writable: [begin: number, end: number][] = [];
  #next = 0;
  #blocks = 0;

  constructor(paint: number, space: Space = own) {
    this.#space = space;
    this.#words = new Uint32Array(space.memory.buffer, space.arena, ROOM);
    new Float32Array(space.memory.buffer, space.arena, ROOM).fill(paint);
  }

  /** Values that are read. */
  input(values: Floats): number {
    const at = this.#block(values.byteLength / 4);
    new Uint8Array(this.#space.memory.buffer).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      at,
    );
    return at;
  }

  /** Rows that are read; between them is paint. */
  rows({ values, row, pitch }: Rows<Floats>): number {
    const count = values.length / row;
    const size = values.BYTES_PER_ELEMENT;
    const at = this.#block((((count - 1) * pitch + row) * size) / 4);
    const memory = new Uint8Array(this.#space.memory.buffer);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let i = 0; i < count; i++) {
      memory.set(bytes.subarray(i * row * size, (i + 1) * row * size), at + i * pitch * size);
    }
    return at;
  }

  /** Values that are written, or read and written. */
  output(values: Floats): number {
    const at = this.input(values);
    this.#allow(at, values.byteLength / 4);
    return at;
  }

  /** Rows that are written; what is between them is not. */
  outputRows(rows: Rows): number {
    const at = this.rows(rows);
    for (let i = 0; i < rows.values.length / rows.row; i++) this.#allow(at + 4 * i * rows.pitch, rows.row);
    return at;
  }

  /** Painted memory of so many values that may be written. */
  room(values: number): number {
    const at = this.#block(values);
    this.#allow(at, values);
    return at;
  }

  /** Calls, and expects that nothing was written but what may be. */
  run<Result>(call: () => Result): Result {
    const before = this.#words.slice(0, this.#next + MARGIN);
    const result = call();
    for (const [begin, end] of this.#writable) before.set(this.#words.subarray(begin, end), begin);
    for (let i = 0; i < before.length; i++) {
      if (before[i] !== this.#words[i])
        expect.fail(`written at ${4 * i}, of blocks that end at ${this.#writable}`);
    }
    return result;
  }

  /** A block begins at every four-byte offset in turn. */
  #block(words: number): number {
    const begin = 4 * Math.ceil((this.#next + MARGIN) / 4) + (this.#blocks++ % 4);
    this.#next = begin + words;
    if (this.#next + MARGIN > ROOM) throw new Error(`expected at most ${ROOM} values, got ${this.#next}`);
    return this.#space.arena + 4 * begin;
  }

  #allow(at: number, words: number): void {
    const begin = (at - this.#space.arena) / 4;
    this.#writable.push([begin, begin + words]);
  }
}

/** Copies, because blocks begin anywhere. */
export const floatsAt = (pointer: number, length: number, { memory }: Space = own) =>
  new Float32Array(memory.buffer.slice(pointer, pointer + 4 * length));
export const doublesAt = (pointer: number, length: number, { memory }: Space = own) =>
  new Float64Array(memory.buffer.slice(pointer, pointer + 8 * length));

export function rowsAt(pointer: number, { values, row, pitch }: Rows): Float32Array {
  const found = new Float32Array(values.length);
  for (let i = 0; i < values.length / row; i++) found.set(floatsAt(pointer + 4 * i * pitch, row), i * row);
  return found;
}

/** A packed table: see assembly/table.ts. */
export function table(coefficients: readonly ArrayLike<number>[], columns: number): Float32Array {
  const lanes = new Float32Array(padded(columns) * coefficients.length);
  for (const [k, values] of coefficients.entries()) {
    for (let j = 0; j < columns; j++)
      lanes[laneOf(j, coefficients.length) + 8 * k] = values[j % values.length];
  }
  return lanes;
}

/** The column's place in the first of a group's `coefficients` rows. */
function laneOf(column: number, coefficients: number): number {
  return Math.floor(column / 8) * 8 * coefficients + (column % 8);
}

/** The coefficients in a table of `columns` columns, without its padding. */
export function tableAt(pointer: number, coefficients: number, columns: number, space = own): Float32Array[] {
  const lanes = floatsAt(pointer, coefficients * padded(columns), space);
  return Array.from({ length: coefficients }, (_, k) =>
    Float32Array.from({ length: columns }, (_, j) => lanes[laneOf(j, coefficients) + 8 * k]),
  );
}

/** Throws unless both are the same bits; without the cost of an assertion for each, because there are many. */
export function expectSameBits(found: Floats, expected: Floats): void {
  let i = 0;
  while (i < expected.length && Object.is(found[i], expected[i])) i++;
  if (i < expected.length || found.length !== expected.length) expect(found).toEqual(expected);
}

/** What the call returns: the same bits on every paint. */
export function onEveryPaint<Values extends Floats>(
  call: (memory: Painted) => Values[],
  space: Space = own,
): Values[] {
  const [first, ...others] = PAINTS.map((paint) => call(new Painted(paint, space)));
  for (const other of others) for (const [i, values] of other.entries()) expectSameBits(values, first[i]);
  return first;
}

// ------------------------------------------------------------------------------------- sizes

/** Zero, one and two turns of 8 columns, with every remainder. */
export const COLUMNS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 67];

/** Zero, one and more turns of 2 and of 4 streams, with every remainder; moments are exact below 16 rows. */
export const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 66, 131];

/** Zero, one and more turns of 16 values, of 4 and of 1; the blocks of moments end at 64, 256 and 512. */
export const PLANES = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 257, 511, 512, 513, 1100];

/** Rows that are read as one: features, inner, copies. */
export const TILES = [
  [1, 1, 8],
  [3, 1, 8],
  [5, 1, 3],
  [8, 1, 2],
  [9, 1, 2],
  [3, 2, 4],
  [2, 4, 1],
  [5, 3, 1],
] as const;

/** Less than one tall row, one, four streams of them with every remainder, and more. */
export const rowsOfTiles = (copies: number) => [
  ...Array.from({ length: 2 * copies }, (_, i) => 1 + i),
  ...Array.from({ length: copies }, (_, i) => 4 * copies + i),
  17 * copies + copies - 1,
];

/** Rows that follow each other, and rows that belong to wider ones. */
export function eachPitch(values: Float32Array, row: number, visit: (rows: Rows) => void): void {
  for (const pitch of [row, row + 5]) visit({ values, row, pitch });
}

/** N(0, 1) */
export const normals = (length: number, seed: number) =>
  make({ outer: length, features: 1, inner: 1 }, "N(0, 1)", seed);

export function within(
  found: ArrayLike<number>,
  exact: ArrayLike<number>,
  bound: (exact: number, i: number) => number,
): void {
  const { ratio, at } = worst(found, exact, bound);
  expect(ratio, `at ${at}: expected ${exact[at]}, got ${found[at]}`).toBeLessThanOrEqual(1);
}
