// The arrays of a call in a memory of their own: what kernels find where a pointer says, what comes back to the
// caller's arrays, and what is copied.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { type Values, viewOf } from "../../src/backend.js";
import { Memory } from "../../src/wasm/memory.js";
import { Operand, Window } from "../../src/wasm/operand.js";
import type { Chunk } from "../../src/wasm/walk.js";

/** Values of each window. */
const HELD = 48;

/** Linear memory without kernels, whose blocks follow each other. */
function freshMemory() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let next = 64;
  return {
    memory: new Memory({
      memory,
      allocate(bytes) {
        next += bytes;
        return next - bytes;
      },
      free() {},
    }),
    grow: () => memory.grow(1),
    at: (pointer: number, length: number) => new Float32Array(memory.buffer, pointer, length),
  };
}

/** The operands of a backend: y is written over x. */
function freshOperands() {
  const { memory, grow, at } = freshMemory();
  const window = new Window(memory, HELD);
  const x = new Operand(memory, window);
  const y = new Operand(memory, window, x);
  const beside = new Operand(memory, new Window(memory, HELD));
  return { memory, grow, at, x, y, beside };
}

/** Of a chunk, operands read where its values are; the rest is for kernels. */
function chunkOf(offset: number, rows: number, row: number, pitch: number): Chunk {
  return { offset, length: rows * row, rows, row, pitch, feature: 0, planes: 1, inner: rows * row, seen: 0 };
}

const contiguous = (begin: number, end: number) => chunkOf(begin, 1, end - begin, end - begin);

/** Where the chunk's values are in the array, in order. */
function placesOf({ offset, rows, row, pitch }: Chunk): number[] {
  return Array.from({ length: rows * row }, (_, i) => offset + Math.floor(i / row) * pitch + (i % row));
}

const valuesIn = (array: ArrayLike<number>, chunk: Chunk) => placesOf(chunk).map((i) => array[i]);

/** Throws unless both have the same values: without the cost of an assertion, because there are many. */
function expectSame(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  let i = 0;
  while (i < expected.length && found[i] === expected[i]) i++;
  if (i < expected.length || found.length !== expected.length) {
    expect(Array.from(found)).toEqual(Array.from(expected));
  }
}

describe("any calls, any steps", () => {
  const PLACES = ["array", "tensor", "view", "tensor of another memory"] as const;
  type Place = (typeof PLACES)[number];
  const place = fc.constantFrom(...PLACES);

  /** Chunks that fit the window: contiguous ones, that often touch, and rows that are apart. */
  const chunks = (length: number) => {
    const eighth = Math.ceil(length / 8);
    const cut = fc.nat(8).map((k) => Math.min(k * eighth, length - 1));
    return fc
      .record({ cut, most: fc.nat(HELD), rows: fc.integer({ min: 1, max: 5 }), gap: fc.nat(3) })
      .map(({ cut, most, rows, gap }) => {
        const row = Math.max(1, Math.min(most, length - cut));
        const apart = gap > 0 && cut + (rows - 1) * (row + gap) + row <= length && rows * row <= HELD;
        return apart ? chunkOf(cut, rows, row, row + gap) : contiguous(cut, cut + row);
      });
  };

  const call = fc.integer({ min: 1, max: 2 * HELD }).chain((length) =>
    fc.record({
      length: fc.constant(length),
      input: place,
      output: fc.oneof(place, fc.constantFrom("input" as const, "also" as const)),
      also: fc.oneof(place, fc.constantFrom("input" as const, null)),
      keeps: fc.boolean(),
      grows: fc.boolean(),
      steps: fc.array(fc.tuple(fc.constantFrom("load", "load beside", "write"), chunks(length)), {
        maxLength: 12,
      }),
    }),
  );

  test("load shows the array, store brings back the chunk, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 4 }), (calls) => {
        const { memory, grow, at, x, y, beside } = freshOperands();
        const { memory: other } = freshMemory();
        // No two values are alike, so that each says where and when it comes from.
        let fresh = 0;
        const make = (length: number, place: Place): Values => {
          const block = (place === "tensor of another memory" ? other : memory).zeros(Float32Array, length);
          const values = place === "array" ? new Float32Array(length) : block.values;
          for (let i = 0; i < length; i++) values[i] = ++fresh;
          return place === "array" || place === "view" ? values : block;
        };

        for (const { length, steps, ...call } of calls) {
          if (call.grows) grow();
          const input = make(length, call.input);
          const also = call.also === "input" ? input : call.also && make(length, call.also);
          const named = { input, also: also ?? input };
          const output =
            call.output === "input" || call.output === "also"
              ? named[call.output]
              : make(length, call.output);
          // What the arrays should hold, and which of their values were written.
          const arrays = [...new Set([input, output, named.also])];
          const model = new Map(arrays.map((values) => [values, viewOf(values).slice()]));
          const should = (values: Values) => model.get(values) ?? new Float32Array();
          const written = new Set<number>();

          x.take(input);
          y.take(output);
          beside.take(also);
          if (call.keeps) x.keep();
          for (const [what, chunk] of steps) {
            const places = placesOf(chunk);
            const found = (operand: Operand) => at(operand.load(chunk), chunk.length);
            if (what === "load beside") {
              if (also === null) expect(beside.load(chunk)).toBe(0);
              // What was written over is not read again.
              else if (also !== output || !places.some((i) => written.has(i))) {
                expectSame(found(beside), valuesIn(should(also), chunk));
              }
              continue;
            }
            expectSame(found(x), valuesIn(should(input), chunk));
            if (what === "load") continue;
            const room = at(y.room(chunk), chunk.length);
            for (const [k, i] of places.entries()) {
              room[k] = ++fresh;
              should(output)[i] = fresh;
              written.add(i);
            }
            y.store(chunk);
            for (const values of arrays) expectSame(viewOf(values), should(values));
          }
          for (const operand of [x, y, beside]) operand.drop();
        }
      }),
      { seed: 20, numRuns: 3000 },
    );
  });
});

describe("what is copied", () => {
  let { memory, at, x, y, beside } = freshOperands();
  beforeEach(() => {
    ({ memory, at, x, y, beside } = freshOperands());
  });

  /** What a kernel finds. An array that was changed meanwhile tells whether it was copied again. */
  const found = (operand: Operand, chunk: Chunk) => Array.from(at(operand.load(chunk), chunk.length));
  const iota = (length: number) => Float32Array.from({ length }, (_, i) => i);
  const parts = (length: number, size: number) =>
    Array.from({ length: Math.ceil(length / size) }, (_, k) =>
      contiguous(k * size, Math.min(length, (k + 1) * size)),
    );

  /** Reads every chunk, then changes the array: from now on every value that is right was not copied again. */
  function reduce(array: Float32Array, chunks: readonly Chunk[]): void {
    for (const chunk of chunks) expect(found(x, chunk)).toEqual(valuesIn(iota(array.length), chunk));
    array.fill(-1);
  }

  /** Writes 100 + x. */
  function write(chunk: Chunk, expected: ArrayLike<number>): void {
    expect(found(x, chunk)).toEqual(valuesIn(expected, chunk));
    at(y.room(chunk), chunk.length).set(valuesIn(expected, chunk).map((value) => 100 + value));
    y.store(chunk);
  }

  // As many values as the window holds, and fewer; the last chunk shorter, or not.
  test.each([
    [HELD, 16],
    [HELD, 20],
    [7, 7],
    [7, 3],
    [1, 1],
  ])("%i values that are kept, %i at a time: each once, forwards and from the end", (length, size) => {
    for (const order of [(list: Chunk[]) => list, (list: Chunk[]) => [...list].reverse()]) {
      for (const inPlace of [false, true]) {
        const array = iota(length);
        const result = inPlace ? array : new Float32Array(length);
        x.take(array);
        y.take(result);
        x.keep();
        const chunks = parts(length, size);
        reduce(array, chunks);
        reduce(array, chunks);
        for (const chunk of order(chunks)) write(chunk, iota(length));
        expect(result).toEqual(iota(length).map((value) => 100 + value));
        x.drop();
        y.drop();
      }
    }
  });

  test("more than the window holds: the latest chunk stays, until it is written over", () => {
    for (const keeps of [false, true]) {
      const array = iota(HELD + 1);
      x.take(array);
      y.take(new Float32Array(HELD + 1));
      if (keeps) x.keep();
      const chunks = parts(HELD + 1, 20);
      const last = chunks[2];
      reduce(array, chunks);
      write(last, iota(HELD + 1));
      expect(found(x, last)).toEqual(valuesIn(array, last));
      expect(found(x, chunks[0])).toEqual(valuesIn(array, chunks[0]));
      x.drop();
      y.drop();
    }
  });

  test("what is beside has a window of its own", () => {
    const array = iota(8);
    const chunk = contiguous(0, 8);
    x.take(iota(8));
    y.take(new Float32Array(8));
    beside.take(array);
    expect(found(beside, chunk)).toEqual(Array.from(iota(8)));
    array.fill(-1);
    write(chunk, iota(8));
    expect(found(beside, chunk)).toEqual(Array.from(iota(8)));
  });

  test("nothing that stands in linear memory is", () => {
    const block = memory.zeros(Float32Array, 2 * HELD);
    const chunk = contiguous(3, 2 * HELD);
    for (const values of [block, block.values]) {
      for (const operand of [x, y, beside]) operand.take(values);
      x.keep();
      expect([x.resident, y.resident, beside.resident]).toEqual([true, true, true]);
      const where = block.pointer + 12;
      expect([x.load(chunk), beside.load(chunk), y.room(chunk)]).toEqual([where, where, where]);
      y.store(chunk);
    }
    beside.take(null);
    expect([beside.resident, beside.load(chunk)]).toEqual([true, 0]);
  });

  test("a call finds nothing of the one before", () => {
    const array = iota(8);
    for (const value of [1, 2]) {
      array.fill(value);
      for (const operand of [x, y, beside]) operand.take(array);
      x.keep();
      expect([x, beside].map((operand) => found(operand, contiguous(0, 8)))).toEqual([
        Array(8).fill(value),
        Array(8).fill(value),
      ]);
      for (const operand of [x, y, beside]) operand.drop();
      expect([x, y, beside].map((operand) => operand.values)).toEqual([null, null, null]);
    }
  });
});
