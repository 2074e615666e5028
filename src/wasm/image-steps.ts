// The steps on images, for the WebAssembly backend: pixels and values that live elsewhere are staged chunk by chunk.

import { text } from "../../build/pixels.wasm";
import type { instantiate } from "../../build/release/pixels.js";
import { type Block, type ImageSteps, type Order, type Pixels, viewOf } from "../backend.js";
import { imageSteps } from "../javascript/image-steps.js";
import type { PixelTable } from "../pixel-map.js";
import { Family } from "./family.js";
import type { Memory } from "./memory.js";
import type { Scratch } from "./wasm.js";

/** Pixels per chunk: as RGBA and as three values they are 16 bytes each, and fill the window. */
const CHUNK = 12 * 1024;

/** Bytes of a map, as the kernels take it. */
const MAP = 80;

type Kernels = Awaited<ReturnType<typeof instantiate>>;

class WasmImageSteps implements ImageSteps {
  readonly #scratch: Scratch;
  readonly #kernels: Kernels;

  constructor(scratch: Scratch, kernels: Kernels) {
    this.#scratch = scratch;
    this.#kernels = kernels;
  }

  sums(pixels: Pixels, gray: boolean): Float64Array {
    const kernels = this.#kernels;
    const { memory, table } = this.#scratch;
    const sums = new Float64Array(memory.buffer, table, gray ? 2 : 8).fill(0);
    for (let done = 0; done < pixels.count; done += CHUNK) {
      const count = Math.min(CHUNK, pixels.count - done);
      const x = this.#load(pixels, done, count, false);
      if (gray) kernels.graySums(x, count, table);
      else kernels.pixelSums(x, count, table);
    }
    return sums.slice();
  }

  apply(pixels: Pixels, order: Order, mapped: PixelTable, y: Float32Array | Block, first: number): void {
    const { map } = mapped;
    if (!map.exact) {
      imageSteps.apply(pixels, order, mapped, y, first);
      return;
    }
    const kernels = this.#kernels;
    const { table } = this.#scratch;
    const places = new Places(this.#scratch, order, y, first, pixels.count);
    this.#bytes(table, MAP).set(new Uint8Array(map.step.buffer));
    for (let done = 0; done < pixels.count; done += CHUNK) {
      const count = Math.min(CHUNK, pixels.count - done);
      const x = this.#load(pixels, done, count, order.channels === "BGR");
      const { pointer, apart } = places.at(done, count);
      if (order.channels === "gray") kernels.pixelsToGray(x, pointer, count, table);
      else if (order.layout === "NHWC") kernels.pixelsToColumns(x, pointer, count, table);
      else kernels.pixelsToPlanes(x, pointer, apart, count, table);
      places.store(done, count);
    }
  }

  inverse(x: Float32Array | Block, first: number, order: Order, { map }: PixelTable, pixels: Pixels): void {
    const kernels = this.#kernels;
    const { memory, table, window } = this.#scratch;
    const { data } = pixels;
    const resident = data.buffer === memory.buffer;
    const places = new Places(this.#scratch, order, x, first, pixels.count);
    this.#bytes(table, MAP).set(new Uint8Array(map.step.buffer));
    for (let done = 0; done < pixels.count; done += CHUNK) {
      const count = Math.min(CHUNK, pixels.count - done);
      places.load(done, count);
      const { pointer, apart } = places.at(done, count);
      const y = resident ? data.byteOffset + 4 * done : window;
      if (order.channels === "gray") kernels.grayToPixels(pointer, y, count, table);
      else if (order.layout === "NHWC") kernels.columnsToPixels(pointer, y, count, table);
      else kernels.planesToPixels(pointer, apart, y, count, table);
      if (order.channels === "BGR") kernels.reverse(y, count);
      if (!resident) data.set(this.#bytes(y, 4 * count), 4 * done);
    }
  }

  /** A chunk of pixels as RGBA, or reversed: where it stands, or in the window. */
  #load({ data, bytes }: Pixels, done: number, count: number, reversed: boolean): number {
    const { memory, window } = this.#scratch;
    const first = bytes * done;
    if (bytes === 4 && !reversed && data.buffer === memory.buffer) return data.byteOffset + first;
    this.#bytes(window, bytes * count).set(data.subarray(first, first + bytes * count));
    if (bytes === 3) this.#kernels.widen(window, count);
    if (reversed) this.#kernels.reverse(window, count);
    return window;
  }

  #bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#scratch.memory.buffer, pointer, length);
  }
}

export const pixels = /* @__PURE__ */ new Family<Kernels, ImageSteps>(
  "pixels",
  text,
  (scratch, kernels) => new WasmImageSteps(scratch, kernels),
);

/** An image's values: where they stand in linear memory, or chunk by chunk behind the pixels in the window. */
class Places {
  readonly #memory: Memory;
  readonly #values: Float32Array | Block;
  readonly #first: number;
  readonly #pixels: number;
  /** Planes, or one part of interleaved channels. */
  readonly #parts: number;
  /** Values of a pixel that stand side by side. */
  readonly #side: number;
  readonly #resident: number;
  readonly #window: number;

  constructor(
    { memory, window }: Scratch,
    order: Order,
    values: Float32Array | Block,
    first: number,
    pixels: number,
  ) {
    const channels = order.channels === "gray" ? 1 : 3;
    this.#memory = memory;
    this.#values = values;
    this.#first = first;
    this.#pixels = pixels;
    this.#parts = order.layout === "NCHW" ? channels : 1;
    this.#side = channels / this.#parts;
    this.#resident = memory.pointerTo(values);
    this.#window = window + 4 * CHUNK;
  }

  /** Where the chunk's first value is, and how many bytes it is from plane to plane. */
  at(done: number, count: number): { pointer: number; apart: number } {
    if (this.#resident === 0) return { pointer: this.#window, apart: 4 * count };
    return { pointer: this.#resident + 4 * this.#offset(done, 0), apart: 4 * this.#pixels };
  }

  load(done: number, count: number): void {
    if (this.#resident !== 0) return;
    const values = viewOf(this.#values);
    this.#eachPart(done, count, (part, offset) => part.set(values.subarray(offset, offset + part.length)));
  }

  store(done: number, count: number): void {
    if (this.#resident !== 0) return;
    const values = viewOf(this.#values);
    this.#eachPart(done, count, (part, offset) => values.set(part, offset));
  }

  /** Calls back with every part of the chunk, in the window, and where among the values it belongs. */
  #eachPart(done: number, count: number, visit: (part: Float32Array, offset: number) => void): void {
    const length = this.#side * count;
    for (let part = 0; part < this.#parts; part++) {
      const pointer = this.#window + 4 * length * part;
      visit(new Float32Array(this.#memory.buffer, pointer, length), this.#offset(done, part));
    }
  }

  #offset(done: number, part: number): number {
    return this.#first + part * this.#pixels + done * this.#side;
  }
}
