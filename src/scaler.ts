// What scalers share: a statistic that is fitted to data, and the map that follows from it. Semantics and names are
// scikit-learn's, in camel case.

import {
  checkOptions,
  checkSame,
  inUse,
  isFloat64Array,
  type Plain,
  wrongKind,
  wrongValue,
} from "./argument.js";
import {
  type After,
  type Backend,
  type Coefficients,
  type Mapping,
  NONE,
  type Table,
  type Values,
  viewOf,
} from "./backend.js";
import { Call, checkOutput, type OutOption, type ShapeOption } from "./call.js";
import { backendForBoth } from "./environment.js";
import { checkFeatures, Features } from "./features.js";
import { mapLists } from "./javascript/lists.js";
import type { Layout } from "./layout.js";
import { checkNested } from "./lists.js";
import type { AddOptions } from "./moments.js";
import { Prepared } from "./prepared.js";
import { isNested, type LikeSamples, type OutSamples, type Samples } from "./samples.js";
import { Shown } from "./shown.js";

/** How data are fitted. */
export type FitOptions = ShapeOption;

const FIT = ["shape"];
const TRANSFORM = ["out", "shape"];

/** How a scaler that scikit-learn has fitted sees its data. */
export interface SklearnOptions extends Plain {
  /** The feature axis; nested arrays are rows with −1 and columns with 0. Default: −1, the last. */
  axis?: number | undefined;
}

/** Attributes of scikit-learn's scalers that are not read: all of a scaler's may be given. */
export interface SklearnUnread {
  /** Not read. */
  copy?: unknown;
  /** Not read. */
  n_features_in_?: unknown;
  /** Not read. */
  feature_names_in_?: unknown;
}

/** A statistic that can be fitted. */
interface Statistic {
  readonly features: number | undefined;
  readonly axis: number;
  readonly count: number | Float64Array<ArrayBuffer>;
  add(x: Samples, options: AddOptions): this;
  merge(other: this): this;
}

/** What one scaler does and the other does differently. */
export interface Fit<Fitted> {
  /** The statistic of no data. */
  empty(features: number | undefined): Fitted;
  /** What would be infinite or NaN if a value had been infinite. */
  witnesses(fitted: Fitted): Float64Array[];
  /** How far apart the values are: float64 has to hold it. */
  spread(fitted: Fitted): Float64Array;
  /** The map of `transform`. */
  forward(fitted: Fitted, backend: Backend, precision: Precision): Mapping;
  /** The map that undoes it. */
  backward(fitted: Fitted, backend: Backend, precision: Precision): Mapping;
  /** What follows the map of `transform`, for float32 and for float64. */
  after: Readonly<Record<Precision, After>>;
}

/**
 * The kind of the data that was fitted: float64 as soon as a part of it was.
 *
 * @inline
 */
export type Precision = "float32" | "float64";

export abstract class Scaler<Fitted extends Statistic> extends Shown {
  readonly #fit: Fit<Fitted>;
  readonly #features: Features;
  #forward: FittedMap | undefined;
  #backward: FittedMap | undefined;
  #fitted: Fitted | undefined;
  #precision: Precision = "float32";

  /** @throws TypeError, RangeError if `features` or `axis` is not valid */
  constructor(features: number | undefined, axis: number, fit: Fit<Fitted>) {
    super();
    this.#features = new Features(features, axis);
    this.#fit = fit;
  }

  /** How many features; undefined until data says it, where the constructor did not. */
  get features(): number | undefined {
    return this.#features.size;
  }

  /** The feature axis, as the constructor was given it. */
  get axis(): number {
    return this.#features.axis;
  }

  /** Values per feature, NaN not counted: one number if it is the same for all. undefined before fitting. */
  get count(): number | Float64Array<ArrayBuffer> | undefined {
    return this.#fitted?.count;
  }

  /**
   * Takes the statistics of x, and forgets those before.
   *
   * @param x rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor; NaN is ignored
   * @param options sizes of an array (`shape`)
   * @returns this
   * @throws TypeError, RangeError if x does not fit, is empty, or has a value that is infinite or so far from the others
   *   that float64 does not hold their variance or range; what was fitted before then stays
   */
  fit(x: Samples, options: FitOptions = {}): this {
    checkOptions(options, FIT);
    const { shape } = options;
    return this.#adopt(this.#reduce(x, shape), precisionOf(x));
  }

  /**
   * Adds the statistics of x: parts one by one give the fit of the whole.
   *
   * @param x rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor; NaN is ignored
   * @param options sizes of an array (`shape`)
   * @returns this
   * @throws as `fit`
   */
  partialFit(x: Samples, options: FitOptions = {}): this {
    checkOptions(options, FIT);
    const { shape } = options;
    return this.#join("x", this.#reduce(x, shape), precisionOf(x));
  }

  /**
   * The map of what was fitted.
   *
   * @param x rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor
   * @param options where the result goes (`out`), and sizes of an array (`shape`)
   * @returns `out`, or new memory in the form of x
   * @throws TypeError, RangeError if an argument does not fit, or nothing was fitted
   */
  transform<X extends Samples>(x: X, options?: OutOption<OutSamples<X>> & ShapeOption): LikeSamples<X>;
  transform(x: Samples, options: OutOption<Samples> & ShapeOption = {}): Samples {
    checkOptions(options, TRANSFORM);
    return this.#map(x, options, this.#checkFitted(this.#forward), this.#fit.after);
  }

  /**
   * `fit(x)`, then `transform(x)`.
   *
   * @param x rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor
   * @param options where the result goes (`out`), and sizes of an array (`shape`)
   * @returns `out`, or new memory in the form of x
   * @throws as both; what was fitted before then stays
   */
  fitTransform<X extends Samples>(x: X, options?: OutOption<OutSamples<X>> & ShapeOption): LikeSamples<X>;
  fitTransform(x: Samples, options: OutOption<Samples> & ShapeOption = {}): Samples {
    checkOptions(options, TRANSFORM);
    const { out, shape } = options;
    const part = this.#reduce(x, shape);
    const precision = precisionOf(x);
    const forward = this.#forwardOf(part, precision);
    // What was fitted is replaced when nothing can fail any more.
    try {
      const y = this.#map(x, { out, shape }, forward, this.#fit.after, part.features);
      this.#adopt(part, precision, forward);
      return y;
    } catch (error) {
      forward.dispose();
      throw error;
    }
  }

  /**
   * What `transform` did, undone.
   *
   * @param y rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor
   * @param options where the result goes (`out`), and sizes of an array (`shape`)
   * @returns `out`, or new memory in the form of y
   * @throws TypeError, RangeError if an argument does not fit, or nothing was fitted
   */
  inverseTransform<X extends Samples>(y: X, options?: OutOption<OutSamples<X>> & ShapeOption): LikeSamples<X>;
  inverseTransform(y: Samples, options: OutOption<Samples> & ShapeOption = {}): Samples {
    checkOptions(options, TRANSFORM);
    return this.#map(y, options, this.#checkFitted(this.#backward), { float32: NONE, float64: NONE });
  }

  /** What was fitted; undefined before. */
  protected get fitted(): Fitted | undefined {
    return this.#fitted;
  }

  protected get precision(): Precision {
    return this.#precision;
  }

  /** Takes a statistic as fitted, which comes from elsewhere. */
  protected restore(fitted: Fitted, precision: Precision): this {
    if (fitted.features === undefined) throw wrongValue("json", "statistics of some features", "none");
    checkFeatures(this.features, fitted.features);
    checkSame(this, { axis: fitted.axis }, ["axis"]);
    this.#checkFinite("json", fitted, precision);
    return this.#adopt(fitted, precision);
  }

  /** Adds what another scaler was fitted to. */
  protected mergeWith(other: Scaler<Fitted>): this {
    checkFeatures(this.features, other.features);
    const theirs = other.#fitted;
    if (theirs === undefined) return this;
    return this.#join("other", this.#fit.empty(theirs.features).merge(theirs), other.#precision);
  }

  #join(name: "x" | "other", part: Fitted, precision: Precision): this {
    const before = this.#fitted;
    if (before === undefined) return this.#adopt(part, precision);
    const both = precision === "float64" ? precision : this.#precision;
    // A copy: what was fitted stays, if the two are too far apart.
    const whole = this.#fit.empty(before.features).merge(before).merge(part);
    this.#checkFinite(name, whole, both);
    return this.#adopt(whole, both);
  }

  #adopt(fitted: Fitted, precision: Precision, forward = this.#forwardOf(fitted, precision)): this {
    if (fitted.features !== undefined) this.#features.decide(fitted.features);
    this.#fitted = fitted;
    this.#precision = precision;
    this.#forward?.dispose();
    this.#backward?.dispose();
    this.#forward = forward;
    this.#backward = fittedMap((backend) => this.#fit.backward(fitted, backend, precision));
    return this;
  }

  #forwardOf(fitted: Fitted, precision: Precision): FittedMap {
    return fittedMap((backend) => this.#fit.forward(fitted, backend, precision));
  }

  #reduce(x: Samples, shape: readonly number[] | undefined): Fitted {
    const part = this.#fit.empty(this.features).add(x, { shape });
    const empty = isNested(x) ? x.every((list) => list.length === 0) : x.length === 0;
    if (empty) throw wrongValue("x", "at least one value per feature", "none");
    this.#checkFinite("x", part, precisionOf(x));
    return part;
  }

  /** What is infinite in x, or not finite in what was saved. */
  #checkFinite(name: "x" | "json" | "other", part: Fitted, precision: Precision): void {
    const { count } = part;
    for (const values of this.#fit.witnesses(part)) {
      const j = odd(values, count);
      if (j < 0) continue;
      // Of x, the mean of infinities of both signs.
      const got = name === "x" && Number.isNaN(values[j]) ? "Infinity" : values[j];
      const expected = name === "json" ? "finite statistics" : "finite values or NaN";
      throw wrongValue(name, expected, `${got} in feature ${j}`);
    }
    // What float32 data are apart, float64 always holds.
    if (precision === "float32") return;
    const j = odd(this.#fit.spread(part), count);
    if (j >= 0) throw wrongValue(name, "values whose spread float64 holds", `others in feature ${j}`);
  }

  /** Checks everything, then maps. */
  #map(
    x: Samples,
    { out, shape }: OutOption<Samples> & ShapeOption,
    map: FittedMap,
    after: Readonly<Record<Precision, After>>,
    features = this.features,
  ): Samples {
    if (isNested(x)) {
      const { values: lists, layout } = this.#features.read(x, shape, features);
      if (out === undefined) {
        return mapLists(lists, layout, map.on(backendForBoth(layout, lists)), after.float64);
      }
      // A copy is checked before anything is written. It is mapped in place, and copied back into the form of x.
      const { values } = lists;
      checkNested(out, lists);
      // An item that is a getter may have fitted other features.
      this.#features.check(layout.features);
      this.#run(map, layout, values, values, after.float64);
      return lists.nest(values, out);
    }
    if (isFloat64Array(x)) {
      const { values, layout } = this.#features.read(x, shape, features);
      if (out !== undefined && !isFloat64Array(out)) throw wrongKind("out", "a Float64Array like x", out);
      const y = out ?? new Float64Array(layout.length);
      const to = inUse("out", y);
      if (out !== undefined) checkOutput(to, "x", viewOf(values));
      this.#run(map, layout, values, to, after.float64);
      return y;
    }
    if (out !== undefined && (isNested(out) || isFloat64Array(out))) {
      throw wrongKind("out", "a Float32Array or a Tensor like x", out);
    }
    // For the number of features, where nothing else says it.
    const { layout } = this.#features.read(x, shape, features);
    const call = new Call(x, { out, shape }, layout.features, this.axis);
    return call.map(map.on(call.backend), after.float32);
  }

  #run(map: FittedMap, layout: Layout, x: Values, y: Values, after: After): void {
    const backend = backendForBoth(layout, x);
    backend.map(x, y, null, layout, map.on(backend), after);
  }

  #checkFitted(map: FittedMap | undefined): FittedMap {
    if (map === undefined) {
      throw new TypeError("scaler: expected a fitted one, got one that has seen no data (call fit first)");
    }
    return map;
  }
}

/** A map that follows from a fit: each backend has its own. */
type FittedMap = Prepared<Mapping, Table>;

function fittedMap(mapping: (backend: Backend) => Mapping): FittedMap {
  return new Prepared(mapping, (backend, first) => backend.table(first));
}

/** The first feature that has values, but not a finite one of these; −1 if there is none. */
function odd(values: Float64Array, count: number | Float64Array): number {
  for (let j = 0; j < values.length; j++) {
    if (!Number.isFinite(values[j]) && (typeof count === "number" ? count : count[j]) > 0) return j;
  }
  return -1;
}

function precisionOf(x: Samples): Precision {
  return isNested(x) || isFloat64Array(x) ? "float64" : "float32";
}

/** x = (y − shift)/scale + center */
export function inverse({ center, scale, shift }: Coefficients): Coefficients {
  return { center: shift, scale: reciprocals(scale), shift: center };
}

export function reciprocals(values: Float64Array): Float64Array<ArrayBuffer> {
  const inverse = values.slice();
  for (let j = 0; j < inverse.length; j++) inverse[j] = 1 / inverse[j];
  return inverse;
}
