// What a backend must do, and which one runs. Backends work on arrays and layouts: whether the values
// are staged through linear memory is theirs to know.

import { numberIn, optionsObject, wrongKind, wrongValue } from "./argument.js";
import { javascript } from "./javascript.js";
import type { Layout } from "./layout.js";
import { bundledModule, isModule, Wasm } from "./wasm.js";

/** Per feature the mean and m2 = Σ(x − mean)² of `count` values, so that variance = m2/count. */
export interface Statistics {
  count: number;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
}

/** Per feature the smallest and the largest value; +∞ and −∞ where there is none. */
export interface Extremes {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** What is folded with statistics into y = (x − mean)·gamma/√(variance + epsilon) + beta. */
export interface Norm {
  readonly gamma: Float32Array | null;
  readonly beta: Float32Array | null;
  readonly epsilon: number;
}

/** Per feature, what the loss gains as gamma and beta grow. */
export interface Gradients {
  readonly dGamma: Float64Array;
  readonly dBeta: Float64Array;
}

/** y = (x − center)·scale + shift per feature. */
export interface Coefficients {
  readonly center: Float64Array;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** What follows the affine step: y = min(max(y + residual, low), high). */
export interface After {
  readonly residual: Float32Array | null;
  readonly low: number;
  readonly high: number;
}

/** An affine map, ready to run. */
export interface Table {
  apply(x: Float32Array, y: Float32Array, layout: Layout, after: After): void;
  free(): void;
}

/** Memory of one tensor. */
export interface Block {
  /** The values where they are now: a growth moves them. */
  view(): Float32Array;
  free(): void;
}

export interface Backend {
  readonly name: "wasm" | "javascript";
  /** Zeroed memory for `length` values. */
  allocate(length: number): Block;
  /** reduce: x → statistics. */
  reduce(x: Float32Array, layout: Layout, statistics: Statistics): void;
  /** reduce: x → extrema, NaN ignored; they join what is in `extrema` already. */
  extrema(x: Float32Array, layout: Layout, extrema: Extremes): void;
  /** fold and apply: y = the normalized x; y may be x. */
  normalize(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    after: After,
  ): void;
  /** reduce, fold and apply, reading x once where that is possible. */
  train(
    x: Float32Array,
    y: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    after: After,
  ): void;
  /**
   * The gradients of `train`: dx, which may be dy or x, and per feature dgamma and dbeta. `statistics` are
   * those that x was normalized by.
   */
  backward(
    x: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    layout: Layout,
    statistics: Statistics,
    norm: Norm,
    gradients: Gradients,
  ): void;
  /** A map that is folded once and applied many times. `single` are the coefficients for steps in float32, where they differ. */
  table(coefficients: Coefficients, single?: Coefficients): Table;
}

export interface InitOptions {
  /** A precompiled `WebAssembly.Module` of `simdnorm/kernels.wasm`, for hosts that forbid compiling. */
  module?: object;
  /** Forces a backend. Default: WebAssembly where its SIMD can run, JavaScript elsewhere. */
  backend?: "wasm" | "javascript";
  /** Bytes of linear memory to reserve, so that it need not grow later. Default: 0. */
  memory?: number;
}

let wasm: Wasm | null | undefined;
let running: Backend | undefined;

/** The WebAssembly backend, or null where it cannot run. Compiled at the first use. */
function webAssembly(): Wasm | null {
  if (wasm === undefined) {
    const module = bundledModule();
    try {
      wasm = module && new Wasm(module);
    } catch {
      // Under a content security policy WebKit compiles modules, but refuses their instances.
      wasm = null;
    }
  }
  return wasm;
}

/** The backend that runs. */
export function current(): Backend {
  running ??= webAssembly() ?? javascript;
  return running;
}

/** Which kernels run: `"wasm"`, or `"javascript"` where WebAssembly or its SIMD is missing or forbidden. */
export function backend(): "wasm" | "javascript" {
  return current().name;
}

/**
 * Optional: sets what otherwise sets itself at the first call.
 *
 * @throws TypeError, RangeError if an option is not valid, or a forced `"wasm"` cannot run here
 */
export function init(options: InitOptions = {}): void {
  optionsObject(options);
  const { module, backend, memory = 0 } = options;
  if (module !== undefined && !isModule(module)) throw wrongKind("module", "a WebAssembly.Module", module);
  if (backend !== undefined && backend !== "wasm" && backend !== "javascript") {
    const error = typeof backend === "string" ? wrongValue : wrongKind;
    throw error("backend", '"wasm" or "javascript"', backend);
  }
  numberIn("memory", memory, "a number of bytes from 0 to 4 GiB", (n) => n >= 0 && n <= 2 ** 32);

  const instance = module !== undefined ? new Wasm(module) : backend === "javascript" ? null : webAssembly();
  if (backend === "wasm" && instance === null) {
    throw wrongValue("backend", "a backend that can run here", '"wasm", which is missing or forbidden');
  }
  if (memory > 0) instance?.reserve(memory);
  if (module !== undefined) wasm = instance;
  if (backend === "javascript") running = javascript;
  else if (backend === "wasm" || module !== undefined) running = instance ?? javascript;
}
