// An affine map per feature: what every normalization comes down to.

import { optionsObject, perFeature, positiveInteger } from "./argument.js";
import { type Backend, type Coefficients, current, type Table } from "./backend.js";
import { type ApplyOptions, checkCall, run } from "./call.js";
import { checkAxis } from "./layout.js";
import type { Data, Tensor } from "./tensor.js";

export interface AffineOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
  /** Default: zeros. */
  center?: ArrayLike<number>;
  /** Default: ones. */
  scale?: ArrayLike<number>;
  /** Default: zeros. */
  shift?: ArrayLike<number>;
}

// A forgotten table is freed when it is garbage collected.
const forgotten = new FinalizationRegistry<Table>((table) => table.free());

/** A table that is made at its first use, and anew for another backend or after `release`. */
export class Prepared {
  readonly #make: (backend: Backend) => Table;
  #table: Table | undefined;
  #backend: Backend | undefined;

  constructor(make: (backend: Backend) => Table) {
    this.#make = make;
  }

  /** The table, for the backend that runs. */
  get table(): Table {
    const backend = current();
    if (this.#table === undefined || this.#backend !== backend) {
      this.release();
      this.#table = this.#make(backend);
      this.#backend = backend;
      forgotten.register(this, this.#table, this);
    }
    return this.#table;
  }

  /** Gives the table back. */
  release(): void {
    if (this.#table === undefined) return;
    forgotten.unregister(this);
    this.#table.free();
    this.#table = undefined;
  }
}

/**
 * y = (x − center)·scale + shift per feature, in float64 until it is applied. Its table is made once, so
 * that applying it costs one kernel call: the fastest way to run a frozen layer many times.
 *
 *     const map = bn.fold();
 *     map.apply(x, { out: x });
 */
export class Affine {
  readonly #axis: number;
  readonly #coefficients: Coefficients;
  readonly #prepared = new Prepared((backend) => backend.table(this.#coefficients));

  /** @throws TypeError, RangeError if `features` or an option is not valid */
  constructor(features: number, options: AffineOptions = {}) {
    positiveInteger("features", features);
    optionsObject(options);
    this.#axis = checkAxis(options.axis ?? -1);
    this.#coefficients = {
      center: coefficient("center", options.center, features, 0),
      scale: coefficient("scale", options.scale, features, 1),
      shift: coefficient("shift", options.shift, features, 0),
    };
  }

  get features(): number {
    return this.#coefficients.center.length;
  }

  get axis(): number {
    return this.#axis;
  }

  /** A copy: the map does not change. */
  get center(): Float64Array {
    return this.#coefficients.center.slice();
  }

  /** A copy: the map does not change. */
  get scale(): Float64Array {
    return this.#coefficients.scale.slice();
  }

  /** A copy: the map does not change. */
  get shift(): Float64Array {
    return this.#coefficients.shift.slice();
  }

  /**
   * y = (x − center)·scale + shift, then plus `residual`, then the activation.
   *
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit
   */
  apply(x: Float32Array, options?: ApplyOptions & { out?: Float32Array }): Float32Array;
  apply(x: Tensor, options?: ApplyOptions & { out?: Tensor }): Tensor;
  apply(x: Data, options: ApplyOptions & { out?: Data } = {}): Data {
    const layout = checkCall(x, options, this.features, this.#axis);
    // Made before the views are: it may grow the memory.
    const table = this.#prepared.table;
    return run(x, options, (values, y, after) => table.apply(values, y, layout, after));
  }
}

function coefficient(
  name: string,
  values: ArrayLike<number> | undefined,
  features: number,
  initial: number,
): Float64Array {
  if (values === undefined) return new Float64Array(features).fill(initial);
  return Float64Array.from(perFeature(name, values, features));
}
