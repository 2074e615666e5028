// What scalers share: a statistic that is fitted to data, and the map that follows from it. Semantics and names are
// scikit-learn's, in camel case.

import { checkSame, isFloat32Array, optionsObject, perFeature, wrongKind, wrongValue } from "./argument.js";
import type { After, Backend, Coefficients, Table } from "./backend.js";
import { Call } from "./call.js";
import { backendFor } from "./environment.js";
import type { AddOptions } from "./moments.js";
import { Prepared } from "./prepared.js";
import { type Data, Tensor } from "./tensor.js";

/** Samples as rows of `features` numbers each, for data whose features are on the last axis. */
export type Rows = readonly (readonly number[])[];

export interface FitOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. A tensor carries its own. */
  shape?: readonly number[];
}

/** A statistic that can be fitted. */
interface Statistic {
  readonly features: number;
  readonly axis: number;
  readonly count: number | Float64Array;
  add(x: Data, options: AddOptions): this;
  merge(other: this): this;
}

/** What one scaler does and the other does differently. */
export interface Fit<Fitted> {
  /** The statistic of no data. */
  empty(): Fitted;
  /** What would be infinite or NaN if a value had been infinite. */
  witnesses(fitted: Fitted): Float64Array[];
  /** The map of `transform`. */
  forward(fitted: Fitted, backend: Backend): Table;
  /** The map that undoes it. */
  backward(fitted: Fitted, backend: Backend): Table;
  /** What follows the map of `transform`. */
  after: Partial<After>;
}

export abstract class Scaler<Fitted extends Statistic> {
  readonly #fit: Fit<Fitted>;
  readonly #forward = new Prepared((backend) => this.#fit.forward(this.#checkFitted(), backend));
  readonly #backward = new Prepared((backend) => this.#fit.backward(this.#checkFitted(), backend));
  readonly #empty: Fitted;
  #fitted: Fitted | undefined;

  /** @throws TypeError, RangeError if the statistic's own options are not valid */
  constructor(fit: Fit<Fitted>) {
    this.#fit = fit;
    this.#empty = fit.empty();
  }

  get features(): number {
    return this.#empty.features;
  }

  get axis(): number {
    return this.#empty.axis;
  }

  /** Values per feature, NaN not counted: one number if it is the same for all. undefined before fitting. */
  get count(): number | Float64Array | undefined {
    return this.#fitted?.count;
  }

  /**
   * Takes the statistics of x, and forgets those before.
   *
   * @throws TypeError, RangeError if x does not fit, is empty or has an infinite value; what was fitted
   *   before then stays
   */
  fit(x: Data | Rows, options: FitOptions = {}): this {
    return this.#adopt(this.#reduce(dataOf(x, this.features, this.axis), options));
  }

  /**
   * Adds the statistics of x: parts one by one give the fit of the whole.
   *
   * @throws as `fit`
   */
  partialFit(x: Data | Rows, options: FitOptions = {}): this {
    const part = this.#reduce(dataOf(x, this.features, this.axis), options);
    return this.#adopt(this.#fitted?.merge(part) ?? part);
  }

  /**
   * The map of what was fitted.
   *
   * @returns `out`, or a new array or tensor of x's shape (an array for rows)
   * @throws TypeError, RangeError if an argument does not fit, or nothing was fitted
   */
  transform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  transform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  transform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    this.#checkFitted();
    const data = dataOf(x, this.features, this.axis);
    return this.#map(new Call(data, options, this.features, this.axis), this.#forward, this.#fit.after);
  }

  /** `fit(x)`, then `transform(x)`. */
  fitTransform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  fitTransform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  fitTransform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    optionsObject(options);
    const { shape, out } = options;
    const data = dataOf(x, this.features, this.axis);
    const call = new Call(data, { shape, out }, this.features, this.axis);
    this.#adopt(this.#reduce(data, { shape }));
    return this.#map(call, this.#forward, this.#fit.after);
  }

  /** What `transform` did, undone. */
  inverseTransform(y: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  inverseTransform(y: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  inverseTransform(y: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    this.#checkFitted();
    const data = dataOf(y, this.features, this.axis);
    return this.#map(new Call(data, options, this.features, this.axis), this.#backward, {});
  }

  /** What was fitted; undefined before. */
  protected get fitted(): Fitted | undefined {
    return this.#fitted;
  }

  /** Takes a statistic as fitted, which may come from elsewhere. */
  protected restore(fitted: Fitted): this {
    const { features, axis } = fitted;
    checkSame(this, { features, axis }, ["features", "axis"]);
    this.#checkFinite(fitted);
    return this.#adopt(fitted);
  }

  #adopt(fitted: Fitted): this {
    this.#fitted = fitted;
    this.#forward.release();
    this.#backward.release();
    return this;
  }

  /** Adds what another scaler was fitted to. */
  protected join(other: Scaler<Fitted>): this {
    const theirs = other.#fitted;
    if (theirs === undefined) return this;
    return this.#adopt((this.#fitted ?? this.#fit.empty()).merge(theirs));
  }

  #reduce(x: Data, options: AddOptions): Fitted {
    const part = this.#fit.empty().add(x, options);
    if (x.length === 0) throw wrongValue("x", "at least one value per feature", "none");
    this.#checkFinite(part);
    return part;
  }

  #checkFinite(part: Fitted): void {
    const { count } = part;
    for (const values of this.#fit.witnesses(part)) {
      for (let j = 0; j < values.length; j++) {
        if (Number.isFinite(values[j]) || (typeof count === "number" ? count : count[j]) === 0) continue;
        throw wrongValue("x", "finite values or NaN", `${values[j] || "Infinity"} in feature ${j}`);
      }
    }
  }

  #map(call: Call, prepared: Prepared, clip: Partial<After>): Data {
    const table = prepared.on(backendFor(call.layout));
    return call.run((pass, layout, after) => pass.apply(layout, table, { ...after, ...clip }));
  }

  #checkFitted(): Fitted {
    if (this.#fitted === undefined) {
      throw new TypeError("scaler: expected a fitted one, got one that has seen no data (call fit first)");
    }
    return this.#fitted;
  }
}

/** Arrays and tensors as they are; rows as an array. */
function dataOf(x: Data | Rows, features: number, axis: number): Data {
  if (x instanceof Tensor || isFloat32Array(x)) return x;
  const rows: unknown = x;
  if (!Array.isArray(rows)) throw wrongKind("x", "a Float32Array, a Tensor or an array of rows", x);
  if (axis !== -1) throw wrongKind("x", `a Float32Array or a Tensor for axis = ${axis}`, x);
  const values = new Float32Array(rows.length * features);
  for (const [i, row] of rows.entries()) values.set(perFeature(`x[${i}]`, row, features), i * features);
  return values;
}

/** x = (y − shift)/scale + center */
export function inverse({ center, scale, shift }: Coefficients): Coefficients {
  return { center: shift, scale: reciprocals(scale), shift: center };
}

export function reciprocals(values: Float64Array): Float64Array {
  const inverse = values.slice();
  for (let j = 0; j < inverse.length; j++) inverse[j] = 1 / inverse[j];
  return inverse;
}
