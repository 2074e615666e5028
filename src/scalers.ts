// Scalers: fitted to data once, then applied to any. Semantics and names are scikit-learn's, in camel case.

import { Prepared } from "./affine.js";
import {
  flag,
  isFloat32Array,
  numberIn,
  optionsObject,
  perFeature,
  positiveInteger,
  wrongKind,
  wrongValue,
} from "./argument.js";
import type { Backend, Coefficients, Table } from "./backend.js";
import { Call } from "./call.js";
import { Extrema, type ExtremaJSON } from "./extrema.js";
import { javascript } from "./javascript.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson } from "./json.js";
import { checkAxis, type Layout, layoutOf } from "./layout.js";
import { mergedPresent, type Present, present } from "./present.js";
import { doubleLine, type Ends, type Line, singleLine, slope } from "./range.js";
import { type Data, sizesOf, Tensor, valuesOf } from "./tensor.js";

/** Samples as rows of `features` numbers each, for data whose features are on the last axis. */
export type Rows = readonly (readonly number[])[];

export interface FitOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. A tensor carries its own. */
  shape?: readonly number[];
}

export interface StandardScalerOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
  /** Whether to subtract the mean. Default: true. */
  withMean?: boolean;
  /** Whether to divide by the standard deviation. Default: true. */
  withStd?: boolean;
}

export interface StandardScalerJSON {
  features: number;
  axis: number;
  withMean: boolean;
  withStd: boolean;
  /** null before fitting. */
  moments: { count: JsonNumber[]; mean: JsonNumber[]; m2: JsonNumber[] } | null;
}

/**
 * Standardization: per feature y = (x − mean)/scale, with scale = √variance (biased), or 1 for a constant.
 *
 * NaN is ignored when fitting and stays NaN in the result. A feature counts as constant if its variance is
 * within the rounding of float64: variance ≤ n·ε·variance + (n·ε·mean)², ε = 2⁻⁵², as in scikit-learn
 * 1.9.1. Fits of parts merge into the fit of the whole.
 *
 *     const scaler = new StandardScaler(13).fit(train);
 *     scaler.transform(test);
 */
export class StandardScaler {
  readonly #features: number;
  readonly #axis: number;
  readonly #withMean: boolean;
  readonly #withStd: boolean;
  readonly #forward = new Prepared((backend) => tableOf(backend, this.#coefficients()));
  readonly #backward = new Prepared((backend) => tableOf(backend, inverse(this.#coefficients())));
  #sum: Present | undefined;

  /** @throws TypeError, RangeError if `features` or an option is not valid */
  constructor(features: number, options: StandardScalerOptions = {}) {
    optionsObject(options);
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(options.axis ?? -1);
    this.#withMean = flag("withMean", options.withMean ?? true);
    this.#withStd = flag("withStd", options.withStd ?? true);
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  get withMean(): boolean {
    return this.#withMean;
  }

  get withStd(): boolean {
    return this.#withStd;
  }

  /** Values per feature, NaN not counted: one number if it is the same for all. undefined before fitting. */
  get count(): number | Float64Array | undefined {
    const count = this.#sum?.count;
    return count?.every((n) => n === count[0]) ? count[0] : count?.slice();
  }

  /** Mean per feature; NaN where every value was NaN. undefined before fitting. */
  get mean(): Float64Array | undefined {
    return this.#sum?.mean.slice();
  }

  /** Biased variance per feature. undefined before fitting, or without `withStd`. */
  get variance(): Float64Array | undefined {
    return this.#withStd && this.#sum !== undefined ? variance(this.#sum) : undefined;
  }

  /** What is divided by: √variance, 1 for a constant feature. undefined before fitting, or without `withStd`. */
  get scale(): Float64Array | undefined {
    return this.#withStd && this.#sum !== undefined ? deviation(this.#sum) : undefined;
  }

  /**
   * Takes the statistics of x, and forgets those before.
   *
   * @throws TypeError, RangeError if x does not fit, is empty or has an infinite value; what was fitted
   *   before then stays
   */
  fit(x: Data | Rows, options: FitOptions = {}): this {
    return this.#settle(this.#reduce(dataOf(x, this.#features, this.#axis), options));
  }

  /**
   * Adds the statistics of x: parts one by one give the fit of the whole.
   *
   * @throws as `fit`
   */
  partialFit(x: Data | Rows, options: FitOptions = {}): this {
    const part = this.#reduce(dataOf(x, this.#features, this.#axis), options);
    return this.#settle(this.#sum === undefined ? part : mergedPresent(this.#sum, part));
  }

  /**
   * Adds what the other was fitted to.
   *
   * @throws TypeError if it is not a StandardScaler, RangeError if it has other features
   */
  merge(other: StandardScaler): this {
    if (!(other instanceof StandardScaler)) throw wrongKind("other", "a StandardScaler", other);
    checkFeatures(this.#features, other.#features);
    if (other.#sum === undefined) return this;
    return this.#settle(this.#sum === undefined ? other.#sum : mergedPresent(this.#sum, other.#sum));
  }

  /**
   * y = (x − mean)/scale
   *
   * @returns `out`, or a new array or tensor of x's shape (an array for rows)
   * @throws TypeError, RangeError if an argument does not fit, or nothing was fitted
   */
  transform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  transform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  transform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    checkFitted(this.#sum);
    return callOf(x, options, this.#features, this.#axis).run(this.#forward.table.apply);
  }

  /** `fit(x)`, then `transform(x)`. */
  fitTransform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  fitTransform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  fitTransform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    const data = dataOf(x, this.#features, this.#axis);
    const call = callOf(data, options, this.#features, this.#axis);
    this.#settle(this.#reduce(data, options));
    return call.run(this.#forward.table.apply);
  }

  /** x = y·scale + mean: what `transform` did, undone. */
  inverseTransform(y: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  inverseTransform(y: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  inverseTransform(y: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    checkFitted(this.#sum);
    return callOf(y, options, this.#features, this.#axis).run(this.#backward.table.apply);
  }

  /** The whole state, exact. */
  toJSON(): StandardScalerJSON {
    const sum = this.#sum;
    return {
      features: this.#features,
      axis: this.#axis,
      withMean: this.#withMean,
      withStd: this.#withStd,
      moments: sum === undefined ? null : listsToJson(sum),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: StandardScalerJSON): StandardScaler {
    const { features, axis, withMean, withStd, moments } = fieldsOf("json", json);
    const scaler = new StandardScaler(positiveInteger("features", features), {
      axis: checkAxis(axis),
      withMean: flag("withMean", withMean),
      withStd: flag("withStd", withStd),
    });
    if (moments !== null) scaler.#sum = listsFromJson(moments, scaler.#features);
    return scaler;
  }

  #reduce(data: Data, options: FitOptions): Present {
    const { values, layout } = checkFit(data, options, this.#features, this.#axis);
    return present(values, layout);
  }

  #settle(sum: Present): this {
    this.#sum = sum;
    this.#forward.release();
    this.#backward.release();
    return this;
  }

  #coefficients(): Coefficients {
    const sum = checkFitted(this.#sum);
    const none = new Float64Array(this.#features);
    return {
      center: this.#withMean ? sum.mean : none,
      scale: this.#withStd ? reciprocals(deviation(sum)) : none.slice().fill(1),
      shift: none,
    };
  }
}

function variance({ count, m2 }: Present): Float64Array {
  const variance = m2.slice();
  for (let j = 0; j < variance.length; j++) variance[j] /= count[j];
  return variance;
}

/** √variance, 1 where that is no more than the rounding of float64. */
function deviation(sum: Present): Float64Array {
  const deviation = variance(sum);
  for (let j = 0; j < deviation.length; j++) {
    const rounding = sum.count[j] * Number.EPSILON;
    const constant = deviation[j] <= rounding * deviation[j] + (rounding * sum.mean[j]) ** 2;
    deviation[j] = constant ? 1 : Math.sqrt(deviation[j]);
  }
  return deviation;
}

function listsToJson({ count, mean, m2 }: Present) {
  return { count: listToJson(count), mean: listToJson(mean), m2: listToJson(m2) };
}

function listsFromJson(json: unknown, features: number): Present {
  const { count, mean, m2 } = fieldsOf("moments", json);
  const list = (name: string, values: unknown) => Float64Array.from(listFromJson(name, values, features));
  const sum = { count: list("count", count), mean: list("mean", mean), m2: list("m2", m2) };
  for (const [j, n] of sum.count.entries()) {
    numberIn(`count[${j}]`, n, "a non-negative integer", (n) => Number.isSafeInteger(n) && n >= 0);
    if (n === 0) continue;
    numberIn(`mean[${j}]`, sum.mean[j], "a finite number", Number.isFinite);
    numberIn(`m2[${j}]`, sum.m2[j], "a non-negative number", (m) => m >= 0 && m < Number.POSITIVE_INFINITY);
  }
  return sum;
}

export interface MinMaxScalerOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
  /** Where the minimum and the maximum of the data go. Default: [0, 1]. */
  range?: readonly [low: number, high: number];
  /** Whether `transform` keeps other data within the range too. Default: false. */
  clip?: boolean;
}

export interface MinMaxScalerJSON {
  features: number;
  axis: number;
  range: [number, number];
  clip: boolean;
  extrema: ExtremaJSON;
}

/**
 * Min-max scaling: per feature y = (x − min)·scale + range[0], with scale = (range[1] − range[0])/(max − min).
 *
 * NaN is ignored when fitting and stays NaN in the result. A feature whose max − min is below 10·ε,
 * ε = 2⁻⁵², is constant and becomes range[0], as in scikit-learn 1.9.1. Fitted data never leave the range,
 * and their minimum and maximum become its ends exactly, as float32 has them.
 *
 *     const scaler = new MinMaxScaler(64, { range: [-1, 1] }).fit(train);
 *     scaler.transform(test);
 */
export class MinMaxScaler {
  readonly #features: number;
  readonly #axis: number;
  readonly #range: readonly [number, number];
  readonly #clip: boolean;
  readonly #forward = new Prepared((backend) => this.#table(backend));
  readonly #backward = new Prepared((backend) => this.#inverseTable(backend));
  #extrema: Extrema;

  /** @throws TypeError, RangeError if `features` or an option is not valid */
  constructor(features: number, options: MinMaxScalerOptions = {}) {
    optionsObject(options);
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(options.axis ?? -1);
    this.#range = checkRange(options.range ?? [0, 1]);
    this.#clip = flag("clip", options.clip ?? false);
    this.#extrema = new Extrema(this.#features, { axis: this.#axis });
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  get range(): [number, number] {
    return [...this.#range];
  }

  get clip(): boolean {
    return this.#clip;
  }

  /** Values per feature, NaN included. undefined before fitting. */
  get count(): number | undefined {
    return this.#fitted?.count;
  }

  /** Minimum per feature; NaN where every value was NaN. undefined before fitting. */
  get min(): Float64Array | undefined {
    return this.#fitted?.min;
  }

  /** Maximum per feature; NaN where every value was NaN. undefined before fitting. */
  get max(): Float64Array | undefined {
    return this.#fitted?.max;
  }

  /** (range[1] − range[0])/(max − min), with 1 for the max − min of a constant feature. undefined before fitting. */
  get scale(): Float64Array | undefined {
    const [low, high] = this.#range;
    const { min, max } = this;
    return max && min?.map((m, j) => slope({ min: m, max: max[j], low, high }));
  }

  /**
   * Takes the extrema of x, and forgets those before.
   *
   * @throws TypeError, RangeError if x does not fit, is empty or has an infinite value; what was fitted
   *   before then stays
   */
  fit(x: Data | Rows, options: FitOptions = {}): this {
    return this.#settle(this.#reduce(dataOf(x, this.#features, this.#axis), options));
  }

  /**
   * Adds the extrema of x: parts one by one give the fit of the whole.
   *
   * @throws as `fit`
   */
  partialFit(x: Data | Rows, options: FitOptions = {}): this {
    const part = this.#reduce(dataOf(x, this.#features, this.#axis), options);
    return this.#settle(this.#extrema.merge(part));
  }

  /**
   * Adds what the other was fitted to.
   *
   * @throws TypeError if it is not a MinMaxScaler, RangeError if it has other features
   */
  merge(other: MinMaxScaler): this {
    if (!(other instanceof MinMaxScaler)) throw wrongKind("other", "a MinMaxScaler", other);
    checkFeatures(this.#features, other.#features);
    return this.#settle(this.#extrema.merge(other.#extrema));
  }

  /**
   * y = (x − min)·scale + range[0], then clamped to the range if `clip` is set.
   *
   * @returns `out`, or a new array or tensor of x's shape (an array for rows)
   * @throws TypeError, RangeError if an argument does not fit, or nothing was fitted
   */
  transform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  transform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  transform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    checkFitted(this.#fitted);
    return this.#map(callOf(x, options, this.#features, this.#axis));
  }

  /** `fit(x)`, then `transform(x)`. */
  fitTransform(x: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  fitTransform(x: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  fitTransform(x: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    const data = dataOf(x, this.#features, this.#axis);
    const call = callOf(data, options, this.#features, this.#axis);
    this.#settle(this.#reduce(data, options));
    return this.#map(call);
  }

  /** x = (y − range[0])/scale + min: what `transform` did, undone. */
  inverseTransform(y: Float32Array | Rows, options?: FitOptions & { out?: Float32Array }): Float32Array;
  inverseTransform(y: Tensor, options?: FitOptions & { out?: Tensor }): Tensor;
  inverseTransform(y: Data | Rows, options: FitOptions & { out?: Data } = {}): Data {
    checkFitted(this.#fitted);
    return callOf(y, options, this.#features, this.#axis).run(this.#backward.table.apply);
  }

  /** The whole state, exact. */
  toJSON(): MinMaxScalerJSON {
    return {
      features: this.#features,
      axis: this.#axis,
      range: this.range,
      clip: this.#clip,
      extrema: this.#extrema.toJSON(),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: MinMaxScalerJSON): MinMaxScaler {
    const { features, axis, range, clip } = fieldsOf("json", json);
    const scaler = new MinMaxScaler(positiveInteger("features", features), {
      axis: checkAxis(axis),
      range: checkRange(range),
      clip: flag("clip", clip),
    });
    const extrema = Extrema.fromJSON(json.extrema);
    checkFeatures(scaler.#features, extrema.features);
    scaler.#extrema = finite(extrema);
    return scaler;
  }

  get #fitted(): Extrema | undefined {
    return this.#extrema.count > 0 ? this.#extrema : undefined;
  }

  #reduce(data: Data, options: FitOptions): Extrema {
    checkFit(data, options, this.#features, this.#axis);
    return finite(new Extrema(this.#features, { axis: this.#axis }).add(data, options));
  }

  #settle(extrema: Extrema): this {
    this.#extrema = extrema;
    this.#forward.release();
    this.#backward.release();
    return this;
  }

  #map(call: Call): Data {
    const { apply } = this.#forward.table;
    if (!this.#clip) return call.run(apply);
    const [low, high] = this.#range.map(Math.fround);
    return call.run((values, y, layout, after) => apply(values, y, layout, { ...after, low, high }));
  }

  #ends(): Ends[] {
    const { min, max } = this.#extrema;
    const [low, high] = this.#range.map(Math.fround);
    const ends: Ends[] = [];
    for (let j = 0; j < this.#features; j++) ends.push({ min: min[j], max: max[j], low, high });
    return ends;
  }

  /** Steps in float64 where max − min is no float32, because the product of y and it comes first. */
  #inverseTable(backend: Backend): Table {
    const ends = this.#ends();
    const wide = ends.some(({ min, max }) => max - min > 2 ** 127);
    return tableOf(wide ? javascript : backend, inverse(columns(ends.map(doubleLine))));
  }

  /** Steps in float32 where all features have a line for them, and float64 loops elsewhere: see range.ts. */
  #table(backend: Backend): Table {
    const ends = this.#ends();
    const double = columns(ends.map(doubleLine));
    if (backend === javascript) return javascript.table(double);
    const lines: Line[] = [];
    for (const each of ends) {
      const line = singleLine(each);
      if (line === undefined) return javascript.table(double);
      lines.push(line);
    }
    return backend.table(double, columns(lines));
  }
}

/** The two ends: numbers, and as float32 still two. */
function checkRange(value: unknown): readonly [number, number] {
  const expected = "[low, high], two float32 numbers with low < high";
  if (!Array.isArray(value)) throw wrongKind("range", expected, value);
  const ends: unknown[] = value;
  const [low, high] = ends;
  if (typeof low !== "number" || typeof high !== "number") throw wrongKind("range", expected, value);
  const single = [Math.fround(low), Math.fround(high)];
  if (ends.length !== 2 || !single.every(Number.isFinite) || single[0] >= single[1]) {
    throw wrongValue("range", expected, value);
  }
  return [low, high];
}

/** Extrema of data without infinities. */
function finite(extrema: Extrema): Extrema {
  const { min, max } = extrema;
  for (let j = 0; j < min.length; j++) {
    for (const value of [min[j], max[j]]) {
      if (Math.abs(value) === Number.POSITIVE_INFINITY) {
        throw wrongValue("x", "finite values or NaN", `${value} in feature ${j}`);
      }
    }
  }
  return extrema;
}

// --------------------------------------------------------------------------------------- both

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

/** What a fit takes: at least one value per feature. */
function checkFit(
  x: Data,
  options: FitOptions,
  features: number,
  axis: number,
): { values: Float32Array; layout: Layout } {
  optionsObject(options);
  const values = valuesOf("x", x);
  const layout = layoutOf(values.length, features, axis, sizesOf(x, options.shape));
  if (layout.length === 0) throw wrongValue("x", "at least one value per feature", "none");
  return { values, layout };
}

function checkFeatures(features: number, others: number): void {
  if (others !== features) throw wrongValue("other", `features = ${features}`, others);
}

function checkFitted<Statistics>(statistics: Statistics | undefined): Statistics {
  if (statistics === undefined) {
    throw new TypeError("scaler: expected a fitted one, got one that has seen no data (call fit first)");
  }
  return statistics;
}

/** A checked call of a transform. */
function callOf(x: Data | Rows, options: FitOptions & { out?: Data }, features: number, axis: number): Call {
  optionsObject(options);
  const { shape, out } = options;
  return new Call(dataOf(x, features, axis), { shape, out }, features, axis);
}

/** A table of the backend that runs, or of float64 loops where float32 does not hold the scales in full. */
function tableOf(backend: Backend, coefficients: Coefficients): Table {
  let whole = true;
  for (const s of coefficients.scale) whole &&= !(s < 2 ** -126 || s > 2 ** 127);
  return whole ? backend.table(coefficients) : javascript.table(coefficients);
}

/** x = (y − shift)/scale + center */
function inverse({ center, scale, shift }: Coefficients): Coefficients {
  return { center: shift, scale: reciprocals(scale), shift: center };
}

function reciprocals(values: Float64Array): Float64Array {
  const inverse = values.slice();
  for (let j = 0; j < inverse.length; j++) inverse[j] = 1 / inverse[j];
  return inverse;
}

function columns(lines: readonly Line[]): Coefficients {
  const center = new Float64Array(lines.length);
  const scale = new Float64Array(lines.length);
  const shift = new Float64Array(lines.length);
  for (let j = 0; j < lines.length; j++) {
    center[j] = lines[j].center;
    scale[j] = lines[j].scale;
    shift[j] = lines[j].shift;
  }
  return { center, scale, shift };
}
