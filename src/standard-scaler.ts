// Standardization: every feature to mean 0 and standard deviation 1.

import {
  checkObject,
  checkOptions,
  checkSame,
  flag,
  isList,
  oneOf,
  type Plain,
  perFeature,
  positiveInteger,
  wrongKind,
} from "./argument.js";
import { type Coefficients, type Mapping, NONE } from "./backend.js";
import { argumentsOf } from "./features.js";
import { featuresFromJson, fieldsOf, listToJson, type Parsed } from "./json.js";
import { checkAxis } from "./layout.js";
import { Moments, type MomentsJSON } from "./moments.js";
import { inverse, reciprocals, Scaler, type SklearnOptions, type SklearnUnread } from "./scaler.js";
import { isA } from "./shown.js";

/** Which axis holds the features, and what is done to them. */
export interface StandardScalerOptions extends Plain {
  /** The feature axis; nested arrays are rows with −1 and columns with 0. Default: −1, the last. */
  axis?: number | undefined;
  /** Whether to subtract the mean. Default: true. */
  withMean?: boolean | undefined;
  /** Whether to divide by the standard deviation. Default: true. */
  withStd?: boolean | undefined;
}

/** Attributes of scikit-learn's StandardScaler. */
export interface SklearnStandard extends SklearnUnread {
  /** Mean per feature; null without mean and deviation. */
  mean_: ArrayLike<number> | null;
  /** What is divided by, per feature; null without deviation. */
  scale_: ArrayLike<number> | null;
  /** Biased variance per feature; null without deviation. */
  var_: ArrayLike<number> | null;
  /** How many features: read where nothing else says it. */
  n_features_in_?: number | undefined;
  /** Values per feature: one number, or one for each feature. */
  n_samples_seen_: number | ArrayLike<number>;
  /** Whether the mean is subtracted. Default: true. */
  with_mean?: boolean | undefined;
  /** Whether it is divided by the deviation. Default: whether there is a scale_. */
  with_std?: boolean | undefined;
}

/** A scaler as JSON. */
export interface StandardScalerJSON {
  /** How many features; null before fitting, where the constructor did not say. */
  features: number | null;
  /** The feature axis. */
  axis: number;
  /** Whether the mean is subtracted. */
  withMean: boolean;
  /** Whether it is divided by the standard deviation. */
  withStd: boolean;
  /** What was fitted; null before. */
  moments: MomentsJSON | null;
}

/**
 * Standardization: per feature y = (x − mean)/scale, with scale = √variance (biased), or 1 for a constant.
 *
 * NaN is ignored when fitting and stays NaN in the result. A feature counts as constant if its variance is
 * within the rounding of float64: variance ≤ n·ε·variance + (n·ε·mean)², ε = 2⁻⁵², as in scikit-learn
 * 1.9.1. Fits of parts merge into the fit of the whole.
 *
 *     const scaler = new StandardScaler().fit(train);   // rows, columns, arrays, tensors
 *     scaler.transform(test);
 */
export class StandardScaler extends Scaler<Moments> {
  readonly #withMean: boolean;
  readonly #withStd: boolean;

  /**
   * @param features how many, at most 2²⁸; if left out, the first data that says it decides: nested arrays, a tensor, a
   *   shape. Or the options
   * @param options the feature axis (`axis`), whether to subtract the mean (`withMean`) and to divide by the deviation
   *   (`withStd`)
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features?: number | StandardScalerOptions, options?: StandardScalerOptions) {
    const [size, given = {}] = argumentsOf(features, options);
    checkOptions(given, ["axis", "withMean", "withStd"]);
    const { axis = -1, withMean = true, withStd = true } = given;
    const coefficients = (moments: Moments): Coefficients => {
      const { mean } = moments;
      const none = new Float64Array(mean.length);
      return {
        center: this.#withMean ? mean : none,
        scale: this.#withStd ? reciprocals(deviation(moments)) : none.slice().fill(1),
        shift: none,
      };
    };
    super(size, axis, {
      empty: (features) => new Moments(features, { axis, nan: "ignore" }),
      witnesses: ({ mean }) => [mean],
      spread: ({ variance }) => (this.#withStd ? variance : new Float64Array()),
      forward: (moments) => mappingOf(coefficients(moments)),
      backward: (moments) => mappingOf(inverse(coefficients(moments))),
      after: { float32: NONE, float64: NONE },
    });
    this.#withMean = flag("withMean", withMean);
    this.#withStd = flag("withStd", withStd);
  }

  /** Whether the mean is subtracted. */
  get withMean(): boolean {
    return this.#withMean;
  }

  /** Whether it is divided by the standard deviation. */
  get withStd(): boolean {
    return this.#withStd;
  }

  /** Mean per feature; NaN where every value was NaN. undefined before fitting. */
  get mean(): Float64Array<ArrayBuffer> | undefined {
    return this.fitted?.mean;
  }

  /** Biased variance per feature. undefined before fitting, or without `withStd`. */
  get variance(): Float64Array<ArrayBuffer> | undefined {
    return this.#withStd ? this.fitted?.variance : undefined;
  }

  /** What is divided by: √variance, 1 for a constant feature. undefined before fitting, or without `withStd`. */
  get scale(): Float64Array<ArrayBuffer> | undefined {
    return this.#withStd && this.fitted ? deviation(this.fitted) : undefined;
  }

  /**
   * Adds what the other was fitted to.
   *
   * @param other a scaler of the same features and options; it stays as it is
   * @returns this
   * @throws TypeError if it is not a StandardScaler, RangeError if it has other features or options
   */
  merge(other: StandardScaler): this {
    if (!isA(other, StandardScaler)) throw wrongKind("other", "a StandardScaler", other);
    checkSame(this, other, ["axis", "withMean", "withStd"]);
    return this.mergeWith(other);
  }

  /**
   * A scaler that scikit-learn has fitted: its attributes, as `vars(scaler)` or `json.dumps` of them shows them.
   *
   *     StandardScaler.fromSklearn({ mean_: [...], scale_: [...], var_: [...], n_samples_seen_: 178 });
   *
   * @param fitted the attributes; others than these are not read
   * @param options the feature axis (`axis`)
   * @throws TypeError, RangeError if an attribute is missing or a length does not fit
   */
  static fromSklearn(fitted: SklearnStandard, options: SklearnOptions = {}): StandardScaler {
    checkOptions(options, ["axis"]);
    checkObject("fitted", fitted);
    const { axis = -1 } = options;
    const { mean_, var_, scale_, n_samples_seen_, n_features_in_, with_mean = true } = fitted;
    const { with_std = scale_ !== null } = fitted;
    if (flag("with_mean", with_mean) && !isList(mean_))
      throw wrongKind("mean_", "an array of numbers", mean_);
    if (flag("with_std", with_std) && !isList(scale_))
      throw wrongKind("scale_", "an array of numbers", scale_);
    const given = mean_ ?? scale_ ?? var_;
    const features = positiveInteger("n_features_in_", isList(given) ? given.length : n_features_in_);
    const list = (name: string, values: unknown) => Float64Array.from(perFeature(name, values, features));
    const count =
      typeof n_samples_seen_ === "object" ? list("n_samples_seen_", n_samples_seen_) : n_samples_seen_;
    const variance = var_
      ? list("var_", var_)
      : scale_
        ? list("scale_", scale_).map((s) => s * s)
        : undefined;
    const n = (j: number) => (typeof count === "object" ? count[j] : count);
    const moments = Moments.fromJSON({
      features,
      axis: checkAxis(axis),
      nan: "ignore",
      count: typeof count === "object" ? Array.from(count) : count,
      mean: mean_ ? listToJson(list("mean_", mean_)) : new Array(features).fill(0),
      m2: Array.from({ length: features }, (_, j) => (variance?.[j] ?? 0) * n(j)),
    });
    const scaler = new StandardScaler(features, {
      axis: moments.axis,
      withMean: with_mean,
      withStd: with_std,
    });
    return scaler.restore(moments, "float64");
  }

  /** The whole state, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): StandardScalerJSON {
    const { features = null, axis, withMean, withStd, fitted } = this;
    return { features, axis, withMean, withStd, moments: fitted?.toJSON() ?? null };
  }

  /**
   * The scaler that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<StandardScalerJSON>): StandardScaler {
    const { features, axis, withMean, withStd } = fieldsOf("json", json);
    const scaler = new StandardScaler(featuresFromJson(features), {
      axis: checkAxis(axis),
      withMean: flag("withMean", withMean),
      withStd: flag("withStd", withStd),
    });
    const moments = json.moments === null ? null : Moments.fromJSON(json.moments);
    if (moments === null) return scaler;
    oneOf("nan", moments.nan, ["ignore"]);
    // The map of a standardization is the same for data of both kinds.
    return scaler.restore(moments, "float64");
  }
}

/** √variance, 1 where that is no more than the rounding of float64. */
function deviation({ count, mean, variance }: Moments): Float64Array<ArrayBuffer> {
  const deviation = variance;
  for (let j = 0; j < deviation.length; j++) {
    const rounding = (typeof count === "number" ? count : count[j]) * Number.EPSILON;
    const constant = deviation[j] <= rounding * deviation[j] + (rounding * mean[j]) ** 2;
    deviation[j] = constant ? 1 : Math.sqrt(deviation[j]);
  }
  return deviation;
}

function mappingOf(map: Coefficients): Mapping {
  return { map, features: map.center.length };
}
