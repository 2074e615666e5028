// Linear memory: what is taken from it, and views of it, which go stale whenever it grows.

import { exhausted } from "../argument.js";
import { type Values, viewOf } from "../backend.js";
import type { Kernels } from "./module.js";

/** Readable bytes behind every block: reductions read up to 28 past the last row. */
const SLACK = 32;

/**
 * Large blocks begin so far apart modulo 4096, because streams that are equal modulo 4096 share the ways of a cache:
 * backward, which walks twelve, took up to 2.3 times as long.
 */
const APART = 1088;
const LARGE = 16 * 1024;
const PERIOD = 4096;

/** Bytes of the largest block: what the allocator hands out, less what is spent on where it begins. */
const MOST = 2 ** 30 - 128 - PERIOD;

/** The memory of one instance. */
export class Memory {
  readonly #kernels: Pick<Kernels, "memory" | "allocate" | "free">;
  #buffer: ArrayBuffer;
  #probe: Uint8Array;
  #size: number;
  #large = 0;

  constructor(kernels: Pick<Kernels, "memory" | "allocate" | "free">) {
    this.#kernels = kernels;
    this.#buffer = kernels.memory.buffer;
    this.#probe = new Uint8Array(this.#buffer, 0, 1);
    this.#size = this.#buffer.byteLength;
  }

  /** Kept, because asking for it costs 15 ns; a growth leaves views of the one before with length 0. */
  get buffer(): ArrayBuffer {
    if (this.#probe.length === 0) {
      this.#buffer = this.#kernels.memory.buffer;
      this.#probe = new Uint8Array(this.#buffer, 0, 1);
      this.#size = this.#buffer.byteLength;
    }
    return this.#buffer;
  }

  /**
   * Zeroed memory for `length` values.
   *
   * @throws RangeError if there is not as much
   */
  zeros<View extends Float32Array | Float64Array>(kind: ViewOf<View>, length: number): Floats<View> {
    const zeros = new Floats(kind, this, length, this.take(kind.BYTES_PER_ELEMENT * length));
    zeros.values.fill(0);
    return zeros;
  }

  /** A view of this memory as a block, which is found again when the memory has grown. */
  placed(values: Float32Array): Float32Array | Floats {
    if (values.buffer !== this.buffer) return values;
    return new Floats(Float32Array, this, values.length, { pointer: values.byteOffset, free() {} });
  }

  /** Bytes that begin a cache line. */
  take(bytes: number): Taken {
    if (bytes > MOST) {
      throw new RangeError(
        `memory: expected less than 1 GiB for one tensor, got ${bytes} bytes (use several)`,
      );
    }
    try {
      const large = bytes > LARGE;
      const start = this.#kernels.allocate(bytes + SLACK + (large ? PERIOD : 48)) >>> 0;
      // On a cache line; a large block at a multiple of APART, modulo PERIOD.
      const skip = large ? (this.#large++ * APART - start) & (PERIOD - 1) : -start & 63;
      return { pointer: start + skip, free: () => this.#kernels.free(start) };
    } catch (cause) {
      throw exhausted(bytes, cause);
    }
  }

  /** Where values stand in this memory; 0 if they live elsewhere, or so close to its end that reductions reach over. */
  pointerTo(values: Values): number {
    const { buffer } = this;
    // Of a block without its view, whose accessors take 20 ns each.
    if (Floats.is(values)) {
      return values.memory === this && values.end + SLACK <= this.#size ? values.pointer : 0;
    }
    const view = viewOf(values);
    if (view.buffer !== buffer || view.byteOffset + view.byteLength + SLACK > this.#size) return 0;
    return view.byteOffset;
  }
}

/** Grows a memory once for `bytes` that blocks will take. */
export function reserve(memory: Memory, bytes: number): void {
  const taken: Taken[] = [];
  try {
    for (let left = bytes; left > 0; left -= MOST) taken.push(memory.take(Math.min(left, MOST)));
  } finally {
    for (const { free } of taken) free();
  }
}

/** Bytes that were taken. */
interface Taken {
  readonly pointer: number;
  free(): void;
}

/** Values in linear memory. */
export class Floats<View extends Float32Array | Float64Array = Float32Array<ArrayBuffer>> {
  readonly memory: Memory;
  readonly pointer: number;
  readonly end: number;
  readonly free: () => void;
  readonly #kind: ViewOf<View>;
  readonly #length: number;
  #values: View;

  constructor(kind: ViewOf<View>, memory: Memory, length: number, { pointer, free }: Taken) {
    this.memory = memory;
    this.pointer = pointer;
    this.end = pointer + kind.BYTES_PER_ELEMENT * length;
    this.free = free;
    this.#kind = kind;
    this.#length = length;
    this.#values = new kind(memory.buffer, pointer, length);
  }

  /** `instanceof` takes 15 ns. */
  static is(values: Values): values is Floats {
    return #values in values;
  }

  /** A growth leaves views with length 0, and so does nothing else but having no values. */
  get values(): View {
    if (this.#values.length !== this.#length || this.#length === 0) {
      this.#values = new this.#kind(this.memory.buffer, this.pointer, this.#length);
    }
    return this.#values;
  }
}

/** Float32Array or Float64Array. */
interface ViewOf<View> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, pointer: number, length: number): View;
}
