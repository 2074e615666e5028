// Whoever computes pixels, the debug module, the release module and JavaScript, as one interface over addresses, and
// memory that is painted around every array.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import type { instantiate as core } from "../../build/release/kernels.js";
import type { instantiate } from "../../build/release/pixels.js";
import * as pixels from "../../src/javascript/pixels.js";
import { type PixelMap, pixelTable } from "../../src/pixel-map.js";
import type { ImageMap } from "../reference.js";

type Kernels = Awaited<ReturnType<typeof instantiate>> & Record<string, unknown>;
type Core = Awaited<ReturnType<typeof core>> & Record<string, unknown>;

const build = (name: string) => readFileSync(new URL(`../../build/${name}`, import.meta.url));

/** An array of the memory that an implementation works in, and its surroundings. */
export interface Place {
  pointer: number;
  length: number;
}

/** Images, values and sums at addresses, whoever computes. */
export interface Implementation {
  memory: { buffer: ArrayBuffer };
  /** The first byte that is free. */
  base: number;
  toFloat(x: Place, bytes: 3 | 4, y: Place, image: ImageMap, map: PixelMap): void;
  toPixels(x: Place, y: Place, image: ImageMap, map: PixelMap): void;
  sums(x: Place, bytes: 3 | 4, sums: Place, gray: boolean): void;
}

/** Room for the largest image as RGBA and as three channels. */
const SIZE = 640 * 480 * 16 + 4096;

const red = ({ channels }: ImageMap) => (channels === "BGR" ? 2 : 0);

function kernelsOf(folder: string): Implementation & { kernels: Kernels } {
  const { memory, allocate } = instantiateSync<Core>(build(`${folder}kernels.wasm`)).exports;
  const kernels = instantiateSync<Kernels>(build(`${folder}pixels.wasm`), { env: { memory } }).exports;
  const base = allocate(SIZE);
  const window = allocate(640 * 480 * 4);
  const table = allocate(80);
  const write = ({ step }: PixelMap) => {
    new Int32Array(kernels.memory.buffer, table, 20).set(new Int32Array(step.buffer));
    return table;
  };
  /** RGBA, or BGRA, wherever it is. */
  const arranged = ({ pointer, length }: Place, bytes: 3 | 4, reversed: boolean) => {
    if (bytes === 4 && !reversed) return pointer;
    new Uint8Array(kernels.memory.buffer).copyWithin(window, pointer, pointer + length);
    if (bytes === 3) kernels.widen(window, length / bytes);
    if (reversed) kernels.reverse(window, length / bytes);
    return window;
  };
  return {
    kernels,
    memory: kernels.memory,
    base,
    toFloat(x, bytes, y, image, map) {
      const n = x.length / bytes;
      const from = arranged(x, bytes, red(image) === 2);
      const at = write(map);
      if (image.channels === "gray") kernels.pixelsToGray(from, y.pointer, n, at);
      else if (image.layout === "NHWC") kernels.pixelsToColumns(from, y.pointer, n, at);
      else kernels.pixelsToPlanes(from, y.pointer, 4 * n, n, at);
    },
    toPixels(x, y, image, map) {
      const n = y.length / 4;
      const at = write(map);
      if (image.channels === "gray") kernels.grayToPixels(x.pointer, y.pointer, n, at);
      else if (image.layout === "NHWC") kernels.columnsToPixels(x.pointer, y.pointer, n, at);
      else kernels.planesToPixels(x.pointer, 4 * n, y.pointer, n, at);
      if (red(image) === 2) kernels.reverse(y.pointer, n);
    },
    sums(x, bytes, sums, gray) {
      const kernel = gray ? kernels.graySums : kernels.pixelSums;
      kernel(arranged(x, bytes, false), x.length / bytes, sums.pointer);
    },
  };
}

const memory = { buffer: new ArrayBuffer(SIZE + 64) };
const bytesAt = ({ pointer, length }: Place) => new Uint8Array(memory.buffer, pointer, length);
const floatsAt = ({ pointer, length }: Place) => new Float32Array(memory.buffer, pointer, length / 4);

const javascript: Implementation = {
  memory,
  base: 64,
  toFloat(x, bytes, y, image) {
    const { levels: table } = pixelTable(image.mean, image.std);
    if (image.channels === "gray") pixels.pixelsToGray(bytesAt(x), bytes, floatsAt(y), table);
    else if (image.layout === "NHWC")
      pixels.pixelsToColumns(bytesAt(x), bytes, floatsAt(y), red(image), table);
    else pixels.pixelsToPlanes(bytesAt(x), bytes, floatsAt(y), red(image), table);
  },
  toPixels(x, y, image, map) {
    if (image.channels === "gray") pixels.grayToPixels(floatsAt(x), bytesAt(y), map);
    else if (image.layout === "NHWC") pixels.columnsToPixels(floatsAt(x), red(image), bytesAt(y), map);
    else pixels.planesToPixels(floatsAt(x), red(image), bytesAt(y), map);
  },
  sums(x, bytes, { pointer, length }, gray) {
    const sums = new Float64Array(memory.buffer, pointer, length / 8);
    (gray ? pixels.graySums : pixels.pixelSums)(bytesAt(x), bytes, sums);
  },
};

export const modules = { debug: kernelsOf("debug/"), release: kernelsOf("release/") };
export const implementations = { ...modules, javascript };

/** Guards around an array. */
const MARGIN = 64;
const PAINT = 0xa5;

/** Two arrays in painted memory, `shift` bytes off an address that is a multiple of 16. */
export function painted(
  { memory, base }: Implementation,
  inBytes: number,
  inShift: number,
  outBytes: number,
  outShift: number,
) {
  const from = { pointer: ((base + 15) & ~15) + MARGIN + inShift, length: inBytes };
  const to = { pointer: ((from.pointer + inBytes + 15) & ~15) + MARGIN + outShift, length: outBytes };
  const start = from.pointer - MARGIN;
  const all = new Uint8Array(memory.buffer, start, to.pointer + outBytes + MARGIN - start).fill(PAINT);
  const x = new Uint8Array(memory.buffer, from.pointer, inBytes);
  const y = new Uint8Array(memory.buffer, to.pointer, outBytes);
  return {
    from,
    to,
    x,
    y,
    /** Whether everything around x and y is as it was painted. */
    intact: () => {
      const before = all.subarray(0, MARGIN);
      const between = all.subarray(MARGIN + inBytes, to.pointer - start);
      const after = all.subarray(all.length - MARGIN);
      return [before, between, after].every((part) => part.every((value) => value === PAINT));
    },
  };
}

/** Bytes compared at once: `toEqual` takes seconds for a real image. */
export const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** Float32 values of bytes at any address. */
export const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
