// Where calls run: on WebAssembly, or on JavaScript where that is missing, forbidden, switched off, or slower.

import { checkOptions, isFloat64Array, numberIn, oneOf, wrongKind, wrongValue } from "./argument.js";
import type {
  Backend,
  Block,
  ImageSteps,
  LineSteps,
  Packed,
  RowSteps,
  Span,
  StatisticsSteps,
  Values,
} from "./backend.js";
import { imageSteps } from "./javascript/image-steps.js";
import { double, javascript } from "./javascript/javascript.js";
import { ListsStatistics } from "./javascript/lists-statistics.js";
import { rowSteps } from "./javascript/row-steps.js";
import { statisticsSteps } from "./javascript/statistics.js";
import type { Layout } from "./layout.js";
import { Lists } from "./lists.js";
import { pixels } from "./wasm/image-steps.js";
import { reserve } from "./wasm/memory.js";
import { exportsOf, give, isModule, type Kernels, kernels, nameOf } from "./wasm/module.js";
import { LONGEST, rows } from "./wasm/row-steps.js";
import { statistics } from "./wasm/statistics.js";
import { type Scratch, Wasm } from "./wasm/wasm.js";

/** Values up to which a call on arrays is faster in JavaScript: 1 × 64 takes 0.5 µs there, and 0.6 through WebAssembly. */
const TINY = 128;

/** The same of tensors, of which nothing is copied: 3 × 2 takes 0.2 µs by either. */
const TINY_BLOCK = 16;

/** The same in pixels of an image: 4 × 4 takes 0.6 µs there and 0.8 through WebAssembly, 16 × 16 takes 1.3 and 1.0. */
const TINY_IMAGE = 64;

/** What sets itself, if it is not set. */
export interface InitOptions {
  /**
   * For hosts that forbid compiling: the precompiled `WebAssembly.Module` of `simdnorm/kernels.wasm`, or it and those of
   * `pixels.wasm`, `rows.wasm` and `statistics.wasm` beside it in an array. Default: the inlined ones.
   */
  module?: object | readonly object[] | undefined;
  /** Forces a backend. Default: WebAssembly where its SIMD can run, JavaScript elsewhere. */
  backend?: "wasm" | "javascript" | undefined;
  /** Bytes of linear memory to reserve, so that it need not grow later. Default: 0. */
  memory?: number | undefined;
}

let wasm: Wasm | null | undefined;
let running: Backend | undefined;

/** The WebAssembly backend, or null where it cannot run. Compiled at the first use. */
function webAssembly(): Wasm | null {
  if (wasm === undefined) {
    const exports = kernels.on(null);
    wasm = exports && new Wasm(exports);
  }
  return wasm;
}

/** The backend that tensors are made by. */
export function current(): Backend {
  running ??= webAssembly() ?? javascript;
  return running;
}

/** The values of an argument, so that they stay in place whatever memory the call itself takes. */
export function placed(values: Float32Array): Float32Array | Block {
  return wasm ? wasm.placed(values) : values;
}

/** The backend that calls on such float32 data run on. */
export function backendFor({ length }: Layout, values: Values): Backend {
  return length <= (ArrayBuffer.isView(values) ? TINY : TINY_BLOCK) ? javascript : current();
}

/** The same for data of both kinds. */
export function backendForBoth(layout: Layout, values: Values): Backend {
  return isFloat64Array(values) || values instanceof Lists ? double() : backendFor(layout, values);
}

/** The steps of a family of kernels on large data, where its module can run, or the same as loops. */
function stepsOf<Steps>(family: { on(scratch: Scratch): Steps | null }, large: boolean, loops: Steps): Steps {
  const backend = current();
  return (large && backend instanceof Wasm ? family.on(backend.scratch) : null) ?? loops;
}

/** The reductions of statistics of such data, of every kind. */
export function statisticsFor(layout: Layout, values: Values): StatisticsSteps {
  const arrays = stepsOf(statistics, layout.length > TINY, statisticsSteps);
  return values instanceof Lists ? new ListsStatistics(arrays) : arrays;
}

/** Writes the lines of min-max scaling for steps in float32; where their module cannot run there are none. */
export function linesOf(span: Span): Packed {
  const steps = stepsOf<LineSteps | null>(statistics, true, null);
  return (...at) => steps?.lines(span, ...at) ?? false;
}

/**
 * The steps on an image of so many pixels. Large ones have no bound: from array to array 1920 × 1080 takes 1.5 ns a
 * pixel through WebAssembly, 1.9 while others use the memory, and at least 3.5 by the tables of JavaScript.
 */
export function imageStepsFor(count: number): ImageSteps {
  return stepsOf(pixels, count > TINY_IMAGE, imageSteps);
}

/** The steps on rows of so many features, of which there are `length` values. */
export function rowStepsFor(length: number, features: number): RowSteps {
  return stepsOf(rows, length > TINY && features <= LONGEST, rowSteps);
}

/** Which kernels run: `"wasm"`, or `"javascript"` where WebAssembly or its SIMD is missing or forbidden. */
export function backend(): "wasm" | "javascript" {
  return current() === javascript ? "javascript" : "wasm";
}

/**
 * Optional: sets what otherwise sets itself at the first call.
 *
 * @param options a precompiled `module`, a forced `backend`, bytes of `memory` to reserve
 * @throws TypeError, RangeError if an option is not valid, or a forced `"wasm"` cannot run here
 */
export function init(options: InitOptions = {}): void {
  if (isModule(options)) {
    throw new TypeError("options: expected an object of options, got a module (write init({ module }))");
  }
  checkOptions(options, ["module", "backend", "memory"]);
  const { module = [], backend, memory = 0 } = options;
  const modules = new Map<string, WebAssembly.Module>();
  for (const each of Array.isArray(module) ? module : [module]) {
    if (!isModule(each)) throw wrongKind("module", "a WebAssembly.Module", each);
    const name = nameOf(each);
    if (name === undefined)
      throw wrongKind("module", "the module of simdnorm/kernels.wasm of this version", each);
    modules.set(name, each);
  }
  if (backend !== undefined) oneOf("backend", backend, ["wasm", "javascript"]);
  numberIn("memory", memory, "a number of bytes from 0 to 4 GiB", (n) => n >= 0 && n <= 2 ** 32);

  const core = modules.get("kernels");
  const given = core && new Wasm(exportsOf<Kernels>(core, null));
  const instance = given ?? (backend === "javascript" ? null : webAssembly());
  if (backend === "wasm" && instance === null) {
    throw wrongValue("backend", "a backend that can run here", '"wasm", which is missing or forbidden');
  }
  if (memory > 0 && instance) reserve(instance.scratch.memory, memory);
  for (const [name, each] of modules) give(name, each);
  if (given !== undefined) wasm = given;
  if (backend === "javascript") running = javascript;
  else if (backend === "wasm" || given !== undefined) running = instance ?? javascript;
}
