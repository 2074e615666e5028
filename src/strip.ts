// How the WebAssembly backend walks a layout: strips of as many features as its tables hold, in chunks of as
// many values as its window holds.

import type { Layout } from "./layout.js";

/** Features whose tables fit the scratch memory; wider data is walked in strips of as many. */
export const STRIP = 4096;

/** Columns of the widest view that narrow rows are tiled into. */
export const WIDE = 1024;

/** Planes as small as this are cheaper as columns, if there are images enough to share the table. */
const SMALL_PLANE = 16;

/** Values per chunk that is staged: 64 to 256 KB measure alike, more falls out of the cache. */
export const WINDOW = 48 * 1024;

/** Features first … first + width of a layout, as the kernels walk them. */
export interface Strip {
  readonly layout: Layout;
  readonly first: number;
  readonly width: number;
  /** Whether rows of width · inner columns are walked, or planes. */
  readonly columns: boolean;
  /** How many rows are tiled into one, so that a row is wide and has no tail. */
  readonly copies: number;
  /** Whether its chunks are contiguous: not those of columns out of wider rows. */
  readonly packed: boolean;
}

/** A piece of a strip: `rows` rows, or as many images of `planes` planes of `inner` values. */
export interface Chunk {
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

/** The strip's part of an array per feature. */
export function part<Values extends Float32Array | Float64Array>(values: Values, strip: Strip): Values;
export function part(
  values: Float32Array | Float64Array,
  { first, width }: Strip,
): Float32Array | Float64Array {
  return width === values.length ? values : values.subarray(first, first + width);
}

export function stripOf(layout: Layout, first: number, tiling?: number): Strip {
  const { outer, features, inner } = layout;
  const width = Math.min(STRIP, features - first);
  const columns = inner === 1 || (inner <= SMALL_PLANE && features * inner <= WIDE && outer >= 64);
  let copies = 1;
  // Only whole rows follow each other, and can be read as one.
  if (columns && width === features) {
    copies = inner === 1 && tiling !== undefined ? tiling : copiesOf(width * inner, outer);
  }
  return { layout, first, width, columns, copies, packed: !columns || width === features };
}

/** Rows to tile into one, so that it is at least 64 columns and a multiple of 8; 1 where that does not pay. */
export function copiesOf(width: number, rows: number): number {
  let copies = 1;
  while ((width * copies) % 8 !== 0 || width * copies < 64) copies++;
  return width * copies <= WIDE && rows >= 32 * copies ? copies : 1;
}

/** Bytes from row to row of a strip of columns: staged rows are packed. */
export function strideOf({ columns, width, layout }: Strip, resident: boolean): number {
  return columns ? 4 * layout.inner * (resident ? layout.features : width) : 0;
}

/** The chunks of a strip: columns all at once where they stand, everything else window by window. */
export function chunksOf(strip: Strip, resident: boolean): Chunk[] {
  const { first, width, columns, copies, layout } = strip;
  const { outer, features, inner } = layout;
  const image = features * inner;
  const chunks: Chunk[] = [];
  if (layout.length === 0) return chunks;

  // Whole rows or images.
  if (columns || (width === features && image <= WINDOW)) {
    const row = width * inner;
    const fit = Math.max(1, Math.floor(WINDOW / (row * copies))) * copies;
    const most = columns && resident ? outer : fit;
    for (let start = 0; start < outer; start += most) {
      const rows = Math.min(most, outer - start);
      const offset = start * image + first;
      chunks.push({
        offset,
        length: rows * row,
        rows,
        feature: 0,
        planes: width,
        inner,
        seen: start * inner,
      });
    }
    return chunks;
  }

  // Within an image an even number of planes, because their moments are merged in pairs.
  if (2 * inner <= WINDOW) {
    const most = 2 * Math.floor(WINDOW / inner / 2);
    for (let start = 0; start < outer; start++) {
      for (let feature = 0; feature < width; feature += most) {
        const planes = Math.min(most, width - feature);
        const offset = start * image + (first + feature) * inner;
        chunks.push({ offset, length: planes * inner, rows: 1, feature, planes, inner, seen: start * inner });
      }
    }
    return chunks;
  }

  // Parts of a plane.
  for (let start = 0; start < outer; start++) {
    for (let feature = 0; feature < width; feature++) {
      for (let done = 0; done < inner; done += WINDOW) {
        const length = Math.min(WINDOW, inner - done);
        const offset = start * image + (first + feature) * inner + done;
        chunks.push({
          offset,
          length,
          rows: 1,
          feature,
          planes: 1,
          inner: length,
          seen: start * inner + done,
        });
      }
    }
  }
  return chunks;
}

// ----------------------------------------------------------------------------------- staging

/** The chunk's values, without a new view where they are all of the array. */
function slice(array: Float32Array, { offset, length }: Chunk): Float32Array {
  return length === array.length ? array : array.subarray(offset, offset + length);
}

/** A chunk into the window from value `at` on, rows packed. */
export function stage(
  window: Float32Array,
  at: number,
  array: Float32Array,
  strip: Strip,
  chunk: Chunk,
): void {
  if (strip.packed) {
    window.set(slice(array, chunk), at);
    return;
  }
  for (let row = 0; row < chunk.rows; row++) {
    const offset = chunk.offset + row * strip.layout.features;
    window.set(array.subarray(offset, offset + strip.width), at + row * strip.width);
  }
}

/** A chunk back from the window. */
export function unstage(
  array: Float32Array,
  window: Float32Array,
  at: number,
  strip: Strip,
  chunk: Chunk,
): void {
  if (strip.packed) {
    array.set(window.subarray(at, at + chunk.length), chunk.offset);
    return;
  }
  for (let row = 0; row < chunk.rows; row++) {
    const packed = window.subarray(at + row * strip.width, at + (row + 1) * strip.width);
    array.set(packed, chunk.offset + row * strip.layout.features);
  }
}
