// Min-max scaling: every feature onto a range.

import {
  checkObject,
  checkOptions,
  checkSame,
  flag,
  isList,
  oneOf,
  type Plain,
  perFeature,
  wrongKind,
  wrongValue,
} from "./argument.js";
import { type Backend, type Mapping, NONE, type Span } from "./backend.js";
import { linesOf } from "./environment.js";
import { Extrema, type ExtremaJSON } from "./extrema.js";
import { argumentsOf } from "./features.js";
import { featuresFromJson, fieldsOf, type Parsed } from "./json.js";
import { checkAxis } from "./layout.js";
import { doubleLines, RoundedLines, roundedLines, slope } from "./range.js";
import { inverse, type Precision, Scaler, type SklearnOptions, type SklearnUnread } from "./scaler.js";
import { isA } from "./shown.js";

/** Which axis holds the features, and where they go. */
export interface MinMaxScalerOptions extends Plain {
  /** The feature axis; nested arrays are rows with −1 and columns with 0. Default: −1, the last. */
  axis?: number | undefined;
  /** Where the minimum and the maximum of the data go. Default: [0, 1]. */
  range?: readonly [low: number, high: number] | undefined;
  /** Whether `transform` keeps other data within the range too. Default: false. */
  clip?: boolean | undefined;
}

/** Attributes of scikit-learn's MinMaxScaler. */
export interface SklearnMinMax extends SklearnUnread {
  /** Minimum per feature. */
  data_min_: ArrayLike<number>;
  /** Maximum per feature. */
  data_max_: ArrayLike<number>;
  /** Where they go: two numbers. Default: [0, 1]. */
  feature_range?: ArrayLike<number> | undefined;
  /** Whether other data are kept within the range. Default: false. */
  clip?: boolean | undefined;
  /** Values per feature. Default: 1; the map does not depend on it. */
  n_samples_seen_?: number | undefined;
  /** Not read. */
  data_range_?: unknown;
  /** Not read. */
  scale_?: unknown;
  /** Not read. */
  min_?: unknown;
}

/** A scaler as JSON. */
export interface MinMaxScalerJSON {
  /** How many features; null before fitting, where the constructor did not say. */
  features: number | null;
  /** The feature axis. */
  axis: number;
  /** Where the minimum and the maximum of the data go. */
  range: [number, number];
  /** Whether other data are kept within the range. */
  clip: boolean;
  /** The kind of the data that was fitted: float64 as soon as a part of it was. */
  precision: Precision;
  /** What was fitted; null before. */
  extrema: ExtremaJSON | null;
}

type Range = readonly [low: number, high: number];

/** Below this, max − min counts as 0: ten units of the data's own type, as in scikit-learn. */
const CONSTANT = { float32: 1.1920928955078125e-6, float64: 2.220446049250313e-15 };

/**
 * Min-max scaling: per feature y = (x − min)·scale + range[0], with scale = (range[1] − range[0])/(max − min).
 *
 * NaN is ignored when fitting and stays NaN in the result. A feature whose max − min is below 10·ε counts as constant, as
 * in scikit-learn 1.9.1: its scale is range[1] − range[0], and its minimum becomes range[0]; ε = 2⁻²³ for float32 data,
 * 2⁻⁵² for float64. Fitted data never leave the range, and their minimum and maximum become its ends exactly, as the
 * data's own type has them; of float64 data, for few features, a few roundings from an end.
 *
 *     const scaler = new MinMaxScaler({ range: [-1, 1] }).fit(train);   // rows, columns, arrays, tensors
 *     scaler.transform(test);
 */
export class MinMaxScaler extends Scaler<Extrema> {
  readonly #range: Range;
  readonly #clip: boolean;

  /**
   * @param features how many, at most 2²⁸; if left out, the first data that says it decides: nested arrays, a tensor, a
   *   shape. Or the options
   * @param options the feature axis (`axis`), where minimum and maximum go (`range`), and
   *   whether other data are kept within it (`clip`)
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features?: number | MinMaxScalerOptions, options?: MinMaxScalerOptions) {
    const [size, given = {}] = argumentsOf(features, options);
    checkOptions(given, ["axis", "range", "clip"]);
    const { axis = -1, range: ends = [0, 1], clip = false } = given;
    const range = checkRange(ends);
    const single: Range = [Math.fround(range[0]), Math.fround(range[1])];
    const clamp = flag("clip", clip);
    const spanOf = (extrema: Extrema, { name }: Backend, precision: Precision): Span => {
      const [low, high] = name === "double" ? range : single;
      const { min, max } = extrema.bounds();
      return { min, max, low, high, constant: CONSTANT[precision] };
    };
    super(size, axis, {
      empty: (features) => new Extrema(features, { axis }),
      witnesses: (extrema) => {
        const { min, max } = extrema.bounds();
        return [min, max];
      },
      spread: (extrema) => {
        const { min, max } = extrema.bounds();
        return max.map((most, j) => most - min[j]);
      },
      forward: (extrema, backend, precision) => forward(spanOf(extrema, backend, precision), backend),
      backward: (extrema, backend, precision) => backward(spanOf(extrema, backend, precision)),
      after: {
        float32: clamp ? { low: single[0], high: single[1] } : NONE,
        float64: clamp ? { low: range[0], high: range[1] } : NONE,
      },
    });
    this.#range = range;
    this.#clip = clip;
  }

  /** Where the minimum and the maximum of the data go. A copy. */
  get range(): [number, number] {
    return [...this.#range];
  }

  /** Whether `transform` keeps other data within the range. */
  get clip(): boolean {
    return this.#clip;
  }

  /** Minimum per feature; NaN where every value was NaN. undefined before fitting. */
  get min(): Float64Array<ArrayBuffer> | undefined {
    return this.fitted?.min;
  }

  /** Maximum per feature; NaN where every value was NaN. undefined before fitting. */
  get max(): Float64Array<ArrayBuffer> | undefined {
    return this.fitted?.max;
  }

  /** (range[1] − range[0])/(max − min), with 1 for the max − min of a constant feature. undefined before fitting. */
  get scale(): Float64Array<ArrayBuffer> | undefined {
    const { min, max } = this;
    if (min === undefined || max === undefined) return undefined;
    const [low, high] = this.#range;
    const constant = CONSTANT[this.precision];
    for (let j = 0; j < min.length; j++) min[j] = slope({ min, max, low, high, constant }, j);
    return min;
  }

  /**
   * Adds what the other was fitted to.
   *
   * @param other a scaler of the same features and options; it stays as it is
   * @returns this
   * @throws TypeError if it is not a MinMaxScaler, RangeError if it has other features or options
   */
  merge(other: MinMaxScaler): this {
    if (!isA(other, MinMaxScaler)) throw wrongKind("other", "a MinMaxScaler", other);
    checkSame(this, other, ["axis", "range", "clip"]);
    return this.mergeWith(other);
  }

  /**
   * A scaler that scikit-learn has fitted: its attributes, as `vars(scaler)` or `json.dumps` of them shows them.
   *
   *     MinMaxScaler.fromSklearn({ data_min_: [...], data_max_: [...], feature_range: [0, 1], clip: false });
   *
   * @param fitted the attributes; others than these are not read
   * @param options the feature axis (`axis`)
   * @throws TypeError, RangeError if an attribute is missing or a length does not fit
   */
  static fromSklearn(fitted: SklearnMinMax, options: SklearnOptions = {}): MinMaxScaler {
    checkOptions(options, ["axis"]);
    checkObject("fitted", fitted);
    const { axis = -1 } = options;
    const { data_min_, data_max_, feature_range = [0, 1], clip = false, n_samples_seen_ = 1 } = fitted;
    if (!isList(data_min_)) throw wrongKind("data_min_", "an array of numbers", data_min_);
    const features = data_min_.length;
    const min = perFeature("data_min_", data_min_, features);
    const max = perFeature("data_max_", data_max_, features);
    const none = (j: number) => Number.isNaN(min[j]) && Number.isNaN(max[j]);
    const extrema = Extrema.fromJSON({
      features,
      axis: checkAxis(axis),
      count: min.map((_, j) => (none(j) ? 0 : n_samples_seen_)),
      min: min.map((value, j) => (none(j) ? "Infinity" : value)),
      max: max.map((value, j) => (none(j) ? "-Infinity" : value)),
    });
    const range = checkRange(isList(feature_range) ? Array.from(feature_range) : feature_range);
    return new MinMaxScaler(features, { axis: extrema.axis, range, clip }).restore(extrema, "float64");
  }

  /** The whole state, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): MinMaxScalerJSON {
    const { features = null, axis, range, clip, precision, fitted } = this;
    return { features, axis, range, clip, precision, extrema: fitted?.toJSON() ?? null };
  }

  /**
   * The scaler that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<MinMaxScalerJSON>): MinMaxScaler {
    const { features, axis, range, clip, precision } = fieldsOf("json", json);
    const scaler = new MinMaxScaler(featuresFromJson(features), {
      axis: checkAxis(axis),
      range: checkRange(range),
      clip: flag("clip", clip),
    });
    const kind = oneOf("precision", precision, ["float32", "float64"]);
    return json.extrema === null ? scaler : scaler.restore(Extrema.fromJSON(json.extrema), kind);
  }
}

/** For float32 the lines that meet the ends in its steps; in float64 where a feature has none: see range.ts. */
function forward(span: Span, { name }: Backend): Mapping {
  const features = span.min.length;
  if (name === "double") return { map: doubleLines(span), features };
  if (name === "javascript") return { map: roundedLines(span), features };
  // They are for a step in float64, where float32 does not hold the others.
  return { map: new RoundedLines(span), packed: linesOf(span), features };
}

/** None for float32 where max − min is not one, because the product of y and it comes first. */
function backward(span: Span): Mapping {
  const { min, max } = span;
  const map = inverse(roundedLines(span));
  let wide = false;
  for (let j = 0; j < min.length; j++) wide ||= max[j] - min[j] > 2 ** 127;
  return { map, packed: wide ? () => false : undefined, features: min.length };
}

/** The two ends: numbers, and as float32 still two. */
function checkRange(value: unknown): Range {
  const expected = "[low, high], two float32 numbers with low < high";
  if (!Array.isArray(value)) throw wrongKind("range", expected, value);
  const ends: unknown[] = value;
  const [low, high] = ends;
  if (typeof low !== "number" || typeof high !== "number") throw wrongKind("range", expected, value);
  const single = [Math.fround(low), Math.fround(high)];
  if (ends.length !== 2 || !single.every(Number.isFinite) || single[0] >= single[1]) {
    throw wrongValue("range", expected, value);
  }
  return [low + 0, high + 0];
}
