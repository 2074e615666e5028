// Mean and variance per feature, of data in any number of parts.

import { checkOptions, checkSame, numberIn, oneOf, type Plain, wrongKind } from "./argument.js";
import type { Present, Statistics } from "./backend.js";
import type { ShapeOption } from "./call.js";
import { statisticsFor } from "./environment.js";
import { argumentsOf, checkFeatures, Features } from "./features.js";
import {
  countFromJson,
  countToJson,
  featuresFromJson,
  fieldsOf,
  type JsonNumber,
  listFromJson,
  listToJson,
  type Parsed,
  sameForAll,
} from "./json.js";
import { checkAxis } from "./layout.js";
import type { Samples } from "./samples.js";
import { isA, Shown } from "./shown.js";

/** Which axis holds the features, and what a NaN does. */
export interface MomentsOptions extends Plain {
  /** The feature axis; nested arrays are rows with −1 and columns with 0. Default: −1, the last. */
  axis?: number | undefined;
  /**
   * What a NaN does: `"propagate"` makes its feature's mean and variance NaN, `"ignore"` leaves it out, so that every
   * feature has a count of its own. Default: `"propagate"`.
   */
  nan?: "propagate" | "ignore" | undefined;
}

/** How data are added. */
export type AddOptions = ShapeOption;

/** Moments as JSON. */
export interface MomentsJSON {
  /** How many features; null before any data, where the constructor did not say. */
  features: number | null;
  /** The feature axis. */
  axis: number;
  /** What a NaN does. */
  nan: "propagate" | "ignore";
  /** Values per feature: one number if it is the same for all. */
  count: number | number[];
  /** Mean per feature. */
  mean: JsonNumber[];
  /** Σ(x − mean)² per feature: count times the variance. */
  m2: JsonNumber[];
}

/**
 * Mean and biased variance per feature, in float64. Moments of parts merge into the moments of the whole
 * (Chan, Golub & LeVeque 1983), over calls, workers or machines.
 *
 *     const moments = new Moments().add(rows);
 *     moments.merge(Moments.fromJSON(fromAnotherWorker));
 *     moments.mean; moments.variance;
 */
export class Moments extends Shown {
  readonly #features: Features;
  readonly #nan: "propagate" | "ignore";
  #sum: Present | undefined;

  /**
   * @param features how many, at most 2²⁸; if left out, the first data that says it decides: nested arrays, a tensor, a
   *   shape. Or the options
   * @param options the feature axis (`axis`), and what a NaN does (`nan`)
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features?: number | MomentsOptions, options?: MomentsOptions) {
    super();
    const [size, given = {}] = argumentsOf(features, options);
    checkOptions(given, ["axis", "nan"]);
    const { axis = -1, nan = "propagate" } = given;
    this.#features = new Features(size, axis);
    this.#nan = oneOf("nan", nan, ["propagate", "ignore"]);
  }

  /** How many features; undefined until data says it, where the constructor did not. */
  get features(): number | undefined {
    return this.#features.size;
  }

  /** The feature axis, as the constructor was given it. */
  get axis(): number {
    return this.#features.axis;
  }

  /** What a NaN does: see `MomentsOptions`. */
  get nan(): "propagate" | "ignore" {
    return this.#nan;
  }

  /** Values per feature so far, without those that were ignored: one number if it is the same for all. */
  get count(): number | Float64Array<ArrayBuffer> {
    return oneCount(this.#seen.count);
  }

  /** Mean per feature; NaN where count is 0. */
  get mean(): Float64Array<ArrayBuffer> {
    const { count, mean } = this.#seen;
    return seen(mean, count);
  }

  /** Biased variance per feature, Σ(x − mean)²/count; NaN where count is 0. */
  get variance(): Float64Array<ArrayBuffer> {
    const { count, m2 } = this.#seen;
    const variance = new Float64Array(m2);
    for (let j = 0; j < variance.length; j++) variance[j] /= count[j];
    return variance;
  }

  get #seen(): Present {
    return this.#sum ?? nothing(this.features ?? 0);
  }

  /**
   * Adds the values of x.
   *
   * @param x rows or columns (nested arrays), float64 or float32 values (row-major), or a tensor
   * @param options sizes of an array (`shape`)
   * @returns this
   * @throws TypeError, RangeError if x or its shape does not fit; what was added before stays
   */
  add(x: Samples, options: AddOptions = {}): this {
    checkOptions(options, ["shape"]);
    const { shape } = options;
    const { values, layout } = this.#features.read(x, shape);
    if (layout.length === 0) return this;
    const part = nothing(layout.features);
    statisticsFor(layout, values).moments(values, layout, this.#nan === "ignore", part);
    this.#features.decide(layout.features);
    this.#sum = this.#sum === undefined ? part : merged(this.#sum, part);
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @param other moments of other data, of the same features; it stays as it is
   * @returns this
   * @throws TypeError if it is not Moments, RangeError if it has other features, another axis or another `nan`
   */
  merge(other: Moments): this {
    if (!isA(other, Moments)) throw wrongKind("other", "Moments", other);
    checkFeatures(this.features, other.features);
    checkSame(this, other, ["axis", "nan"]);
    if (other.#sum === undefined) return this;
    this.#features.decide(other.#sum.count.length);
    this.#sum = merged(this.#seen, other.#sum);
    return this;
  }

  /** The whole state, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): MomentsJSON {
    const { features = null, axis, nan } = this;
    const { count, mean, m2 } = this.#seen;
    return { features, axis, nan, count: countToJson(count), mean: listToJson(mean), m2: listToJson(m2) };
  }

  /**
   * The moments that were saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<MomentsJSON>): Moments {
    const { features, axis, nan, count, mean, m2 } = fieldsOf("json", json);
    const size = featuresFromJson(features);
    const moments = new Moments(size, {
      axis: checkAxis(axis),
      nan: oneOf("nan", nan, ["propagate", "ignore"]),
    });
    const length = size ?? 0;
    const sum = {
      mean: Float64Array.from(listFromJson("mean", mean, length)),
      m2: Float64Array.from(listFromJson("m2", m2, length)),
      // After what says by its length that there are as many.
      count: countFromJson(count, length),
    };
    if (size === undefined) return moments;
    for (const [j, squares] of sum.m2.entries()) {
      numberIn(`m2[${j}]`, squares, "a non-negative number or NaN", (n) => !(n < 0));
    }
    moments.#sum = sum;
    return moments;
  }
}

export function emptyStatistics(features: number): Statistics {
  return { count: 0, mean: new Float64Array(features), m2: new Float64Array(features) };
}

function nothing(features: number): Present {
  return { ...emptyStatistics(features), count: new Float64Array(features) };
}

/** A count per feature, as one number if it is the same for all. */
export function oneCount(count: Float64Array): number | Float64Array<ArrayBuffer> {
  return sameForAll(count) ? (count[0] ?? 0) : count.slice();
}

/** A copy of values per feature; NaN where none has been seen. */
export function seen(values: Float64Array, count: Float64Array): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(values);
  for (let j = 0; j < copy.length; j++) if (count[j] === 0) copy[j] = Number.NaN;
  return copy;
}

/**
 * Chan's merge per feature, in float64: with e = b.mean − a.mean and n = a.count + b.count,
 * mean = a.mean + e·b.count/n and m2 = a.m2 + b.m2 + e²·a.count·b.count/n.
 */
function merged(a: Present, b: Present): Present {
  const sum = nothing(a.count.length);
  for (let j = 0; j < sum.count.length; j++) {
    const n = a.count[j] + b.count[j];
    sum.count[j] = n;
    if (a.count[j] === 0 || b.count[j] === 0) {
      const only = a.count[j] === 0 ? b : a;
      sum.mean[j] = only.mean[j];
      sum.m2[j] = only.m2[j];
      continue;
    }
    const e = b.mean[j] - a.mean[j];
    const weight = b.count[j] / n;
    // An infinite mean stays infinite: ∞ − ∞ would lose it.
    sum.mean[j] = Number.isFinite(e) ? a.mean[j] + e * weight : a.mean[j] * (1 - weight) + b.mean[j] * weight;
    sum.m2[j] = a.m2[j] + b.m2[j] + e * e * a.count[j] * weight;
  }
  return sum;
}
