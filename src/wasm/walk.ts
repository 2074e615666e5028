// How the kernels walk a layout: strips of as many features as their tables hold, in chunks of as many values as
// are staged at once. Plain data.

import type { Layout } from "../layout.js";

/** Features whose tables fit the scratch memory; wider data is walked in strips of as many. */
export const STRIP = 4096;

/** Columns of the widest view that narrow rows are tiled into. */
export const WIDE = 1024;

/** Planes as small as this are cheaper as columns, if there are images enough to share the table. */
const SMALL_PLANE = 16;

/** Values per chunk that is staged: 64 to 256 KB measure alike, more falls out of the cache. */
export const WINDOW = 48 * 1024;

/** Features first … first + width of a layout. */
export interface Strip {
  readonly first: number;
  readonly width: number;
  /** Whether rows of width · inner columns are walked, or planes. */
  readonly columns: boolean;
  /** Values of a feature that stand side by side. */
  readonly inner: number;
  /** How many rows are read as one, so that it is wide and has no tail. */
  readonly copies: number;
  /** Bytes from row to row, for columns. */
  readonly stride: number;
  readonly chunks: readonly Chunk[];
}

/** A piece of a strip: `rows` rows, or as many images of `planes` planes of `inner` values. */
export interface Chunk {
  /** Where it begins in the array. */
  readonly offset: number;
  /** How many values it has. */
  readonly length: number;
  readonly rows: number;
  /** Values of a row, and from row to row in the array where these are apart: columns of wider rows, to be staged. */
  readonly row: number;
  readonly pitch: number;
  /** The first plane's feature, counted from the strip's first. */
  readonly feature: number;
  readonly planes: number;
  readonly inner: number;
  /** Values per feature in the chunks before it. */
  readonly seen: number;
}

/** The strips of a layout. `resident`: nothing is staged, so that columns are one chunk; others have `window` values. */
export function walk(layout: Layout, resident: boolean, window = WINDOW): Strip[] {
  const { outer, features, inner, length } = layout;
  const strips: Strip[] = [];
  if (length === 0) return strips;
  const columns = inner === 1 || (inner <= SMALL_PLANE && features * inner <= WIDE && outer >= 64);
  for (let first = 0; first < features; first += STRIP) {
    const width = Math.min(STRIP, features - first);
    // Only whole rows follow each other, and can be read as one.
    const copies = columns && width === features ? copiesOf(width * inner, outer) : 1;
    const stride = columns ? 4 * inner * (resident ? features : width) : 0;
    const chunks = columns
      ? rowsOf(layout, first, width, copies, resident, window)
      : planesOf(layout, first, width, window);
    strips.push({ first, width, columns, inner, copies, stride, chunks });
  }
  return strips;
}

/** Rows to read as one, so that it is at least 64 columns and a multiple of 8; 1 where that does not pay. */
export function copiesOf(width: number, rows: number): number {
  let copies = 1;
  while ((width * copies) % 8 !== 0 || width * copies < 64) copies++;
  return width * copies <= WIDE && rows >= 32 * copies ? copies : 1;
}

/** Chunks of whole rows of the strip, a multiple of `copies` but for the last. */
function rowsOf(
  { outer, features, inner }: Layout,
  first: number,
  width: number,
  copies: number,
  resident: boolean,
  window: number,
): Chunk[] {
  const row = width * inner;
  const pitch = resident ? row : features * inner;
  const most = resident ? outer : Math.max(1, Math.floor(window / (row * copies))) * copies;
  const chunks: Chunk[] = [];
  for (let start = 0; start < outer; start += most) {
    const rows = Math.min(most, outer - start);
    const offset = start * features * inner + first;
    const seen = start * inner;
    chunks.push({ offset, length: rows * row, rows, row, pitch, feature: 0, planes: width, inner, seen });
  }
  return chunks;
}

/** Chunks of whole images, of whole planes, or of parts of a plane: as many as fit. */
function planesOf({ outer, features, inner }: Layout, first: number, width: number, window: number): Chunk[] {
  const chunks: Chunk[] = [];
  const add = (image: number, rows: number, feature: number, planes: number, done: number, part: number) => {
    const offset = (image * features + first + feature) * inner + done;
    const length = rows * planes * part;
    const seen = image * inner + done;
    chunks.push({ offset, length, rows, row: length, pitch: length, feature, planes, inner: part, seen });
  };
  if (width === features && features * inner <= window) {
    const most = Math.floor(window / (features * inner));
    for (let image = 0; image < outer; image += most) {
      add(image, Math.min(most, outer - image), 0, width, 0, inner);
    }
    return chunks;
  }
  // Within an image an even number of planes, because their moments are merged in pairs.
  const most = 2 * Math.max(1, Math.floor(window / inner / 2));
  const whole = most * inner <= window;
  for (let image = 0; image < outer; image++) {
    for (let feature = 0; feature < width; feature += whole ? most : 1) {
      if (whole) add(image, 1, feature, Math.min(most, width - feature), 0, inner);
      else {
        for (let done = 0; done < inner; done += window) {
          add(image, 1, feature, 1, done, Math.min(window, inner - done));
        }
      }
    }
  }
  return chunks;
}
