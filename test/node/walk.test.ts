// How layouts are cut into strips and chunks: whatever the sizes, every value is walked once, and nothing that is
// staged is larger than its window.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Layout } from "../../src/layout.js";
import { type Chunk, STRIP, type Strip, WIDE, WINDOW, walk } from "../../src/wasm/walk.js";

/** One below, at and one above. */
const around = (...sizes: number[]) => fc.constantFrom(...sizes.flatMap((n) => [n - 1, n, n + 1]));

/** Values of one layout at most, so that planes are not walked for long; the walk itself allocates nothing. */
const MOST = 2 ** 24;

/** Sizes about what the walk turns on: strips, tiles, small planes, windows and their halves. */
const layouts = fc
  .record({
    outer: fc.oneof(fc.nat(200), around(64, 256, 768, 2048), fc.nat(100_000)),
    features: fc.oneof(
      fc.integer({ min: 1, max: 130 }),
      around(STRIP, 2 * STRIP, 3 * STRIP, WIDE, WINDOW),
      fc.integer({ min: 1, max: 20_000 }),
    ),
    inner: fc.oneof(fc.constant(1), fc.nat(20), around(16, WINDOW / 2, WINDOW, 2 * WINDOW), fc.nat(200_000)),
  })
  .map(({ outer, features, inner }) => {
    const fits = Math.max(1, Math.floor(MOST / (features * inner || 1)));
    return layoutOf(Math.min(outer, fits), features, inner);
  });

const layoutOf = (outer: number, features: number, inner: number): Layout => ({
  outer,
  features,
  inner,
  length: outer * features * inner,
});

/** What chance would miss: the first number of rows that tiles pay for, and last strips that alone would be tiled. */
const examples = [255, 256, 257]
  .flatMap((outer) => [layoutOf(outer, 8, 1), layoutOf(outer, STRIP + 8, 1), layoutOf(outer, 3, 3)])
  .flatMap((layout): [Layout, boolean][] => [
    [layout, false],
    [layout, true],
  ]);

/** What holds for every layout, staged or not. A failure prints the seed and the path that lead to it. */
function always(property: (strips: Strip[], layout: Layout, resident: boolean) => void): void {
  const body = (layout: Layout, resident: boolean) => property(walk(layout, resident), layout, resident);
  fc.assert(fc.property(layouts, fc.boolean(), body), { seed: 20, numRuns: 200, examples });
}

/** No chunk is wrong: one by one, because there are many. */
function none(chunks: readonly Chunk[], wrong: (chunk: Chunk) => boolean): void {
  expect(chunks.find(wrong)).toBeUndefined();
}

/** Values that follow each other in the array: [begin, end]. */
type Run = [number, number];

/** Runs where those that touch have become one. */
function joined(runs: Iterable<Run>): Run[] {
  const all: Run[] = [];
  for (const [begin, end] of runs) {
    const last = all.at(-1);
    if (last?.[1] === begin) last[1] = end;
    else if (begin < end) all.push([begin, end]);
  }
  return all;
}

/** What a strip is, by definition: of each row or image, its features. */
function* whole({ first, width }: Strip, { outer, features, inner }: Layout): Iterable<Run> {
  for (let row = 0; row < outer; row++) {
    const begin = (row * features + first) * inner;
    yield [begin, begin + width * inner];
  }
}

/** What its chunks say. Where nothing is staged, kernels go from row to row by the stride. */
function* walked({ columns, stride, chunks }: Strip, resident: boolean): Iterable<Run> {
  for (const { offset, length, rows, row, pitch } of chunks) {
    if (!columns) yield [offset, offset + length];
    for (let i = 0, begin = offset; columns && i < rows; i++) {
      yield [begin, begin + row];
      begin += resident ? stride / 4 : pitch;
    }
  }
}

test("strips follow each other from the first feature to the last", () => {
  always((strips, { features, length }) => {
    let next = 0;
    for (const { first, width } of strips) {
      expect(first).toBe(next);
      expect(width).toBeGreaterThan(0);
      expect(width).toBeLessThanOrEqual(STRIP);
      next += width;
    }
    expect(next).toBe(length === 0 ? 0 : features);
  });
});

test("the chunks of a strip hold each of its values once, in order", () => {
  always((strips, layout, resident) => {
    for (const strip of strips) {
      expect(joined(walked(strip, resident))).toEqual(joined(whole(strip, layout)));
    }
  });
});

test("no chunk is empty, and none that is staged is larger than the window", () => {
  always((strips, _, resident) => {
    for (const { columns, chunks } of strips) {
      const most = columns && resident ? Number.POSITIVE_INFINITY : WINDOW;
      none(chunks, ({ length }) => !(length > 0 && length <= most));
      if (columns && resident) expect(chunks.length).toBe(1);
    }
  });
});

test("seen is the number of values per feature in the chunks before", () => {
  always((strips, { outer, inner }) => {
    for (const { width, chunks } of strips) {
      const seen = new Float64Array(width);
      none(chunks, ({ feature, planes, rows, inner, seen: said }) => {
        const before = seen.subarray(feature, feature + planes);
        const wrong = before.some((count) => count !== said);
        before.fill(said + rows * inner);
        return wrong;
      });
      expect(seen.findIndex((count) => count !== outer * inner)).toBe(-1);
    }
  });
});

test("rows: how long they are, how far apart, and how far apart once staged", () => {
  always((strips, { features, inner }, resident) => {
    for (const strip of strips) {
      const { width, columns, stride, chunks } = strip;
      expect(strip.inner).toBe(inner);
      none(chunks, ({ length, rows, planes, inner: part }) => length !== rows * planes * part);
      if (!columns) {
        expect(stride).toBe(0);
        none(chunks, ({ length, row, pitch }) => row !== length || pitch !== length);
        continue;
      }
      const row = width * inner;
      const pitch = resident ? row : features * inner;
      expect(stride).toBe(4 * (resident ? features * inner : row));
      none(chunks, (chunk) => chunk.row !== row || chunk.pitch !== pitch);
      none(chunks, ({ feature, planes, inner: part }) => feature !== 0 || planes !== width || part !== inner);
    }
  });
});

test("rows are read as one where whole rows follow each other, as few as fill vectors", () => {
  const upTo64 = Array.from({ length: 64 }, (_, i) => i + 1);
  always((strips, { outer, features }) => {
    for (const { width, columns, inner, copies, chunks } of strips) {
      const row = width * inner;
      const few = upTo64.find((k) => (k * row) % 8 === 0 && k * row >= 64) ?? Number.NaN;
      const pays = columns && width === features && few * row <= WIDE && outer >= 32 * few;
      expect(copies).toBe(pays ? few : 1);
      expect(columns ? row * copies : width).toBeLessThanOrEqual(STRIP);
      none(chunks.slice(0, -1), ({ rows }) => rows % copies !== 0);
    }
  });
});

test("planes: whole images, or an even number of planes up to the last, or parts of one", () => {
  always((strips) => {
    for (const { width, columns, inner, chunks } of strips) {
      if (columns) continue;
      const pairs = ({ feature, planes }: Chunk) => planes % 2 === 0 || feature + planes === width;
      none(chunks, ({ rows, feature, planes }) => rows > 1 && (feature !== 0 || planes !== width));
      none(chunks, ({ rows, planes, inner: part }) => part < inner && (rows !== 1 || planes !== 1));
      // Where two planes fit the window, none is alone; where they do not, each is.
      none(chunks, (chunk) => (2 * inner <= WINDOW ? !pairs(chunk) : width > 1 && chunk.planes !== 1));
    }
  });
});

test("small planes of many images are columns", () => {
  const columns = (outer: number, features: number, inner: number) =>
    walk(layoutOf(outer, features, inner), false)[0].columns;
  expect([1, 2, 16, 17].map((inner) => columns(64, 3, inner))).toEqual([true, true, true, false]);
  expect([63, 64, 65].map((outer) => columns(outer, 3, 16))).toEqual([false, true, true]);
  expect([63, 64, 65].map((features) => columns(64, features, 16))).toEqual([true, true, false]);
  expect(columns(1, 5000, 1)).toBe(true);
});
