// The kernels' modules: the debug module says what a caller did wrong, the release module is as fast as it can be.

import { describe, expect, test } from "vitest";
import { build, kernels, statisticsOf } from "./painted.js";

const { statistics } = statisticsOf("debug/statistics.wasm");

describe("assertions of the debug module name their file", () => {
  const at = kernels.allocate(4096);
  test.each([
    ["apply", () => kernels.columnsApply(at, at, 1, 0, 1, 4, at, 0, 0, 0)],
    ["apply", () => kernels.planesApply(at, at, 1, 0, 1, at, 0, 0, 0, 0)],
    ["backward", () => kernels.columnsBackward(at, at, at, 0, 1, 1, 4, at)],
    ["backward", () => kernels.planesBackward(at, at, at, 1, 1, 0, at, 0)],
    ["moments-columns", () => kernels.columnsMoments(at, 0, 1, 1, 1, 4, at, at, at, 0)],
    ["moments-columns", () => kernels.columnsMomentsExact(at, 1, 0, 1, 4, at, at, at, 0)],
    ["moments-planes", () => kernels.planesMoments(at, 1, 1, 0, at, at, at, 0)],
    ["moments-planes", () => kernels.planesMomentsExact(at, 0, 1, 1, at, at, 0)],
    ["gradients", () => kernels.columnsGradients(at, at, 0, 1, 1, 1, 4, at, at, at, at)],
    ["gradients", () => kernels.planesGradients(at, at, 1, 0, 1, at, at, at)],
    ["extrema", () => statistics.noExtrema(at, 1, 2)],
    ["extrema", () => statistics.columnsExtrema(at, 0, 1, 1, 4, 4, at)],
    ["extrema", () => statistics.planesExtrema(at, 1, 1, 0, 8, at, 0)],
    ["extrema", () => statistics.collectExtrema(at, 0, 1, 1, 4, at, at, at)],
    ["exact", () => statistics.noMoments(at, 0)],
    ["exact", () => statistics.collectMoments(at, 1, 0, 1, at, at, at)],
    ["exact-columns", () => statistics.columnsExact(at, 1, 1, 1, 4, 2, false, at)],
    ["exact-planes", () => statistics.planesExact(at, 1, 0, 1, 4, true, at, 1, 0, 0)],
    ["fold", () => kernels.fold(at, at, 1, at, at, 0, 0, at)],
    ["fold", () => kernels.pack(at, at, at, 0, at)],
    ["fold", () => kernels.keep(at, at, at, at, 0, at)],
    ["range", () => statistics.lines(at, at, 0, 1, 0, 0, at)],
    ["range", () => statistics.lines(at, at, 1, 1, 0, 1, at)],
    ["fold", () => kernels.foldSums(at, at, 1, 0, 0, at, at)],
    ["fold", () => kernels.foldSlope(at, at, 1, at, 0, 0, at, at, at)],
  ] as const)("%s.ts: %s", (file, call) => {
    expect(call).toThrow(`assembly/${file}.ts`);
  });
});

/**
 * The functions that call others in loops, once for many values. V8 puts optimized code to work where a function is
 * called, so that what takes long is cut into calls; and calls would cost a loop over vectors twice its time.
 */
const DRIVERS = [
  // Blocks of rows: at most 64 KB per stream, or what is summed between two flushes.
  "apply/rowsApply",
  "backward/rowsBackward",
  "extrema/columnsExtrema",
  "gradients/rowsGradients",
  "moments-columns/rowsMoments",
  // Blocks of rows that have statistics of their own, and row by row those of which some are doubtful.
  "rows/layerNorm",
  "rows/rmsNorm",
  "rows-backward/backward",
  "rows/careful<assembly/rows-moments/Layer>",
  "rows/careful<assembly/rows-moments/Root>",
  "rows-backward/careful",
  // Blocks of rows or of planes, which may be summed again, and planes of a block.
  "exact-columns/rowsExact",
  "exact-planes/planesBlock",
  "exact-planes/imageExact",
  "exact-planes/planesExact",
  // Image by image.
  "apply/planesApply",
  "backward/planesBackward",
  "extrema/planesExtrema",
  "gradients/planesGradients",
  "moments-planes/planesMoments",
  "moments-planes/planesMomentsExact",
  // Features whose first line misses an end, one in eight to three.
  "range/lines",
  // Blocks of a long plane, each at most 4 times what came before it.
  "moments-planes/longPlanes",
];

describe("the release modules", () => {
  const functions = functionsOf(
    ["kernels.wat", "pixels.wat", "rows.wat", "statistics.wat"]
      .map((name) => build(`release/${name}`).toString())
      .join("\n"),
  );

  test("only drivers call functions in loops", () => {
    const calling = [...functions]
      .filter(([, body]) => linesInLoops(body).some(isCall))
      .map(([name]) => name);
    expect(calling.sort()).toEqual([...DRIVERS].sort());
  });

  test("and none of them in a loop over vectors", () => {
    for (const name of DRIVERS) {
      for (const loop of innermostLoops(functions.get(name) ?? "")) {
        if (loop.some((line) => line.includes("v128.load"))) expect(loop.filter(isCall), name).toEqual([]);
      }
    }
  });

  test("every kernel family computes in SIMD", () => {
    const operations: Record<string, RegExp> = {
      "moments-columns/columnsSums4": /f32x4\.mul/,
      "moments-planes/planesSums": /f32x4\.mul/,
      "gradients/gradientRows<i32>": /f32x4\.mul/,
      "gradients/imageGradients": /f32x4\.mul/,
      "extrema/floatEnds4": /f32x4\.pmin/,
      "extrema/doubleEnds4": /f64x2\.pmin/,
      "extrema/floatPlanesEnds": /f32x4\.pmin/,
      "extrema/doublePlanesEnds": /f64x2\.pmin/,
      "exact-columns/floatRows4": /f64x2\.mul/,
      "exact-columns/doubleRows4": /f64x2\.mul/,
      "exact-columns/floatRows1": /f64x2\.mul/,
      "exact-planes/floatPlanes": /f64x2\.mul/,
      "exact-planes/doublePlanes": /f64x2\.mul/,
      "exact-planes/floatPresent": /f64x2\.mul/,
      "exact-planes/doublePresent": /f64x2\.mul/,
      "fold/fold": /f64x2\.mul/,
      "fold/foldSlope": /f64x2\.mul/,
      "apply/applyStreams<i32,assembly/apply/InPlace,assembly/after/Bare>": /f32x4\.mul/,
      "apply/imageApply": /f32x4\.mul/,
      "backward/backwardRows<i32>": /f32x4\.mul/,
      "backward/imageBackward": /f32x4\.mul/,
      "rows-moments/sums<assembly/rows-moments/Layer,assembly/rows-moments/Added,i16>": /f32x4\.mul/,
      "rows-gradients/gradientSums": /f32x4\.mul/,
    };
    for (const [name, operation] of Object.entries(operations)) {
      const loops = linesInLoops(functions.get(name) ?? "");
      expect(
        loops.some((line) => operation.test(line)),
        name,
      ).toBe(true);
    }
  });
});

/** The bodies of our own functions, by file and name: $assembly/apply/imageApply is "apply/imageApply". */
function functionsOf(text: string): Map<string, string> {
  const functions = new Map<string, string>();
  for (const part of text.split("\n (func ").slice(1)) {
    const name = /^\$"?assembly\/([^ "]+)/.exec(part)?.[1];
    if (name !== undefined) functions.set(name, part);
  }
  return functions;
}

const isCall = (line: string) => /^\s*(?:return_)?call(?:_indirect)?\b/.test(line);

const depth = (line: string) => line.length - line.trimStart().length;

/** The lines of each loop, with those of the loops inside: what is indented further than its head. */
function loopsOf(body: string): string[][] {
  const lines = body.split("\n");
  const loops: string[][] = [];
  for (const [start, head] of lines.entries()) {
    if (!/^\s*loop\b/.test(head)) continue;
    const rest = lines.slice(start + 1);
    const length = rest.findIndex((line) => depth(line) <= depth(head));
    loops.push(rest.slice(0, length));
  }
  return loops;
}

function linesInLoops(body: string): string[] {
  return loopsOf(body).flat();
}

function innermostLoops(body: string): string[][] {
  return loopsOf(body).filter((loop) => !loop.some((line) => /^\s*loop\b/.test(line)));
}
