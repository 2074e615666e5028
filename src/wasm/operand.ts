// An array of the running call: where it stands in linear memory, or chunk by chunk in a window there.

import { NOTHING, type Values, type View, viewOf } from "../backend.js";
import type { Floats, Memory } from "./memory.js";
import type { Chunk } from "./walk.js";

/** Linear memory that chunks of arrays are copied to, and what it holds: it is not copied again. */
export class Window {
  readonly pointer: number;
  readonly length: number;
  readonly #floats: Floats;
  // The values #from … #to of the array stand here, and that of #base would be the first.
  #array: View | null = null;
  #base = 0;
  #from = 0;
  #to = 0;

  constructor(memory: Memory, length: number) {
    this.#floats = memory.zeros(Float32Array, length);
    this.pointer = this.#floats.pointer;
    this.length = length;
  }

  /** The chunk's values, from value `at` on. Rows that are apart in the array are packed. */
  stage(array: View, chunk: Chunk, at: number): void {
    const { offset, length, rows, row, pitch } = chunk;
    if (row !== pitch) {
      const window = this.#floats.values;
      for (let i = 0, from = offset; i < rows; i++, from += pitch) {
        window.set(array.subarray(from, from + row), at + i * row);
      }
      this.forget();
      return;
    }
    const end = offset + length;
    const base = offset - at;
    if (array === this.#array && base === this.#base && this.#from <= offset && end <= this.#to) return;
    const window = this.#floats.values;
    window.set(length === array.length ? array : array.subarray(offset, end), at);
    const joins = array === this.#array && base === this.#base && offset === this.#to;
    if (!joins) this.#from = offset;
    this.#to = end;
    this.#array = array;
    this.#base = base;
  }

  /** Something else will stand in the chunk's place. */
  overwrite({ length }: Chunk, at: number): void {
    const first = this.#base + at;
    if (first <= this.#from) this.#from = Math.max(this.#from, first + length);
    else this.#to = Math.min(this.#to, first);
  }

  /** Back to the array. */
  unstage(array: View, { offset, length, rows, row, pitch }: Chunk, at: number): void {
    const window = this.#floats.values;
    if (row === pitch) {
      array.set(window.subarray(at, at + length), offset);
      return;
    }
    for (let i = 0, to = offset; i < rows; i++, to += pitch) {
      array.set(window.subarray(at + i * row, at + (i + 1) * row), to);
    }
  }

  forget(): void {
    this.#array = null;
    this.#from = 0;
    this.#to = 0;
  }
}

export class Operand {
  readonly #memory: Memory;
  readonly #window: Window;
  /** Whose places in the window this one takes: a result is written over what it came from. */
  readonly #over: Operand | null;
  #values: Values | null = null;
  #pointer = 0;
  /** Whether each value has a place of its own in the window, so that all of them may stay. */
  #spread = false;

  constructor(memory: Memory, window: Window, over: Operand | null = null) {
    this.#memory = memory;
    this.#window = window;
    this.#over = over;
  }

  /** What the call works on; null: nothing, which `load` shows as 0. */
  take(values: Values | null): void {
    this.#values = values;
    this.#pointer = values === null ? 0 : this.#memory.pointerTo(values);
    this.#spread = false;
  }

  get values(): Values | null {
    return this.#values;
  }

  /** Whether nothing of it has to be staged. */
  get resident(): boolean {
    return this.#pointer !== 0 || this.#values === null;
  }

  /** Keeps what is staged from now on, where the window is large enough, because it will be read again. */
  keep(): void {
    this.#spread = !this.resident && this.array.length <= this.#window.length;
  }

  /** A pointer to the chunk's values: where they stand, or staged now. */
  load(chunk: Chunk): number {
    if (this.#values === null) return 0;
    if (this.#stands(chunk)) return this.#pointer + 4 * chunk.offset;
    const at = this.#at(chunk);
    this.#window.stage(this.array, chunk, at);
    return this.#window.pointer + 4 * at;
  }

  /** A pointer to write the chunk to. */
  room(chunk: Chunk): number {
    if (this.#stands(chunk)) return this.#pointer + 4 * chunk.offset;
    const at = this.#at(chunk);
    this.#window.overwrite(chunk, at);
    return this.#window.pointer + 4 * at;
  }

  /** Back to where the array lives. */
  store(chunk: Chunk): void {
    if (!this.#stands(chunk)) this.#window.unstage(this.array, chunk, this.#at(chunk));
  }

  /** Lets go of the array. */
  drop(): void {
    this.#values = null;
    this.#window.forget();
  }

  /** Rows that are apart are staged wherever they stand, because the arrays of a call share one stride. */
  #stands(chunk: Chunk): boolean {
    return this.#pointer !== 0 && chunk.row === chunk.pitch;
  }

  #at(chunk: Chunk): number {
    return (this.#over ?? this).#spread && chunk.row === chunk.pitch ? chunk.offset : 0;
  }

  /** The values where they live, none of nothing. */
  get array(): View {
    return this.#values === null ? NOTHING : viewOf(this.#values);
  }
}
