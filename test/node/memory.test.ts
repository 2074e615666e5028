// Linear memory, up to its end at 4 GiB: pointers, views, and what is said when there is no more. The allocator is a
// stand-in, so that nothing has to be filled to get there.

import { describe, expect, test } from "vitest";
import { Memory, reserve } from "../../src/wasm/memory.js";

const GIB = 2 ** 30;
const PAGE = 2 ** 16;

/**
 * An allocator whose blocks follow each other from `start` on, 16-byte aligned like AssemblyScript's. Pointers are
 * i32, as WebAssembly returns them: negative from 2 GiB on.
 */
function allocator(start: number, { end = 2 ** 32, pages = 1 } = {}) {
  const memory = new WebAssembly.Memory({ initial: pages });
  const taken: { pointer: number; bytes: number }[] = [];
  const freed: number[] = [];
  let next = start;
  return {
    memory,
    taken,
    freed,
    allocate(bytes: number): number {
      if (next + bytes > end) throw new WebAssembly.RuntimeError("unreachable");
      const pointer = next | 0;
      taken.push({ pointer, bytes });
      next += (bytes + 15) & ~15;
      return pointer;
    },
    free(pointer: number): void {
      freed.push(pointer | 0);
    },
  };
}

/** Where blocks may begin: on both sides of 2 GiB, and close to the end. */
const STARTS = [16, 32, 48, 64, 2 * GIB - 16, 2 * GIB, 2 * GIB + 48, 3 * GIB + 16, 4 * GIB - 4096];

describe("blocks", () => {
  test.each(STARTS)(
    "from %i on: unsigned, on cache lines, with room behind for what reductions read",
    (start) => {
      const kernels = allocator(start);
      const memory = new Memory(kernels);
      for (const bytes of [0, 4, 60, 64, 100]) {
        const { pointer } = memory.take(bytes);
        const block = kernels.taken.at(-1);
        const from = (block?.pointer ?? 0) >>> 0;
        expect(pointer).toBeGreaterThanOrEqual(from);
        expect(pointer % 64).toBe(0);
        expect(pointer + bytes + 28).toBeLessThanOrEqual(from + (block?.bytes ?? 0));
      }
    },
  );

  test("large blocks begin 1088 bytes apart modulo 4096, wherever the allocator puts them", () => {
    for (const start of [16, 4096 - 16, 3 * GIB + 48]) {
      const kernels = allocator(start);
      const memory = new Memory(kernels);
      for (let i = 0; i < 9; i++) {
        const bytes = 16 * 1024 + 4 * (1 + 37 * i);
        const { pointer } = memory.take(bytes);
        const block = kernels.taken.at(-1);
        const from = (block?.pointer ?? 0) >>> 0;
        expect(pointer % 4096).toBe((1088 * i) % 4096);
        expect(pointer).toBeGreaterThanOrEqual(from);
        expect(pointer + bytes + 28).toBeLessThanOrEqual(from + (block?.bytes ?? 0));
      }
    }
  });

  test.each(STARTS)("from %i on: free gets what allocate gave", (start) => {
    const kernels = allocator(start);
    const memory = new Memory(kernels);
    const blocks = [100, 4, 1000].map((bytes) => memory.take(bytes));
    for (const { free } of blocks) free();
    expect(kernels.freed).toEqual(kernels.taken.map(({ pointer }) => pointer));
  });

  test("beyond 2 GiB values are where their pointer says", () => {
    const kernels = allocator(3 * GIB, { pages: (3 * GIB) / PAGE + 1 });
    const memory = new Memory(kernels);
    const floats = memory.zeros(Float32Array, 3);
    const doubles = memory.zeros(Float64Array, 2);
    floats.values.set([1, 2, 3]);
    doubles.values.set([4, 5]);
    expect(floats.pointer).toBeGreaterThan(3 * GIB - 1);
    expect(new Float32Array(kernels.memory.buffer, floats.pointer, 3)).toEqual(Float32Array.of(1, 2, 3));
    expect(new Float64Array(kernels.memory.buffer, doubles.pointer, 2)).toEqual(Float64Array.of(4, 5));
    expect(memory.pointerTo(floats)).toBe(floats.pointer);
    expect(memory.pointerTo(floats.values)).toBe(floats.pointer);
    expect(memory.pointerTo(floats.values.subarray(1))).toBe(floats.pointer + 4);
    floats.free();
    expect(kernels.freed).toEqual([kernels.taken[0].pointer]);
  });

  test("are zeroed, whatever was there", () => {
    const kernels = allocator(64);
    new Uint8Array(kernels.memory.buffer).fill(255);
    const memory = new Memory(kernels);
    expect(memory.zeros(Float32Array, 5).values).toEqual(new Float32Array(5));
    expect(memory.zeros(Float64Array, 5).values).toEqual(new Float64Array(5));
  });
});

describe("where values stand", () => {
  const memory = new Memory(allocator(64));
  const other = new Memory(allocator(64));

  test("blocks and views of this memory do; arrays and those of another memory do not", () => {
    const block = memory.zeros(Float32Array, 4);
    expect([block, block.values, block.values.subarray(2)].map((values) => memory.pointerTo(values))).toEqual(
      [block.pointer, block.pointer, block.pointer + 8],
    );
    expect(
      [new Float32Array(4), other.zeros(Float32Array, 4), other.zeros(Float32Array, 4).values].map((v) =>
        memory.pointerTo(v),
      ),
    ).toEqual([0, 0, 0]);
  });
});

describe("a growth", () => {
  test.each([0, 1, 5])("%i values: views are renewed, and what they show stays", (length) => {
    const kernels = allocator(64);
    const memory = new Memory(kernels);
    const blocks = [memory.zeros(Float32Array, length), memory.zeros(Float64Array, length)];
    for (const block of blocks) block.values.fill(7);
    const before = blocks.map((block) => block.values);
    const { buffer } = memory;
    kernels.memory.grow(1);
    expect(before.map((view) => view.length)).toEqual([0, 0]);
    expect(memory.buffer).toBe(kernels.memory.buffer);
    expect(memory.buffer).not.toBe(buffer);
    for (const block of blocks) {
      expect(block.values.buffer).toBe(kernels.memory.buffer);
      expect(block.values.byteOffset).toBe(block.pointer);
      expect(Array.from(block.values)).toEqual(Array(length).fill(7));
    }
    // What stood in memory before still does, by its new views only.
    const [floats] = blocks;
    if (floats.values instanceof Float32Array) expect(memory.pointerTo(floats.values)).toBe(floats.pointer);
  });

  test("a view is one and the same until then", () => {
    const kernels = allocator(64);
    const block = new Memory(kernels).zeros(Float32Array, 3);
    expect(block.values).toBe(block.values);
  });

  test("by an allocation while blocks are in use", () => {
    const kernels = allocator(64);
    const allocate = kernels.allocate;
    kernels.allocate = (bytes) => {
      kernels.memory.grow(1);
      return allocate(bytes);
    };
    const memory = new Memory(kernels);
    const first = memory.zeros(Float32Array, 2);
    first.values.set([1, 2]);
    const second = memory.zeros(Float32Array, 2);
    expect([first.values, second.values]).toEqual([Float32Array.of(1, 2), new Float32Array(2)]);
  });
});

describe("exhaustion", () => {
  const full =
    "memory: expected 1000 bytes to be free, got fewer (dispose tensors, pass out, or make them in a scope)";

  test("is a RangeError that says how many bytes were asked for, and why", () => {
    const memory = new Memory(allocator(4 * GIB - 512));
    let error: unknown;
    try {
      memory.take(1000);
    } catch (caught) {
      error = caught;
    }
    expect(error).toEqual(new RangeError(full));
    expect(error instanceof Error && error.cause).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(() => memory.zeros(Float32Array, 250)).toThrow(new RangeError(full));
    expect(() => memory.zeros(Float64Array, 125)).toThrow(new RangeError(full));
  });

  test("a block is less than 1 GiB, which is said before it is asked for", () => {
    const kernels = allocator(64);
    const memory = new Memory(kernels);
    const most = GIB - 128 - 4096;
    memory.take(most);
    expect(() => memory.take(most + 1)).toThrow(
      new RangeError(`memory: expected less than 1 GiB for one tensor, got ${most + 1} bytes (use several)`),
    );
    expect(kernels.taken.length).toBe(1);
    // With what is added to it and AssemblyScript's header of 4 bytes it stays below the allocator's limit.
    expect(kernels.taken[0].bytes + 4).toBeLessThan(GIB);
  });
});

describe("reserve", () => {
  test.each([
    [0, 0],
    [1, 1],
    [GIB - 128 - 4096, 1],
    [GIB, 2],
    [3.5 * GIB, 4],
  ])("%i bytes: %i blocks that have as many, all given back", (bytes, blocks) => {
    const kernels = allocator(64);
    reserve(new Memory(kernels), bytes);
    expect(kernels.taken.length).toBe(blocks);
    expect(kernels.taken.reduce((sum, block) => sum + block.bytes, 0)).toBeGreaterThanOrEqual(bytes);
    expect(kernels.freed).toEqual(kernels.taken.map(({ pointer }) => pointer));
  });

  test("gives back what it took also when it fails", () => {
    const kernels = allocator(GIB);
    expect(() => reserve(new Memory(kernels), 3.5 * GIB)).toThrow(RangeError);
    expect(kernels.taken.length).toBe(3);
    expect(kernels.freed).toEqual(kernels.taken.map(({ pointer }) => pointer));
  });
});
