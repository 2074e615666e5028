// Mean and variance per feature, of data in any number of parts.

import { optionsObject, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import { current, type Statistics } from "./backend.js";
import { fieldsOf, fromJson, type JsonNumber, listFromJson, listToJson } from "./json.js";
import { checkAxis, layoutOf } from "./layout.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

export interface MomentsOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
}

export interface AddOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. */
  shape?: readonly number[];
}

export interface MomentsJSON {
  features: number;
  axis: number;
  count: number;
  mean: JsonNumber[];
  m2: JsonNumber[];
}

/**
 * Mean and biased variance per feature, in float64. Moments of parts merge into the moments of the whole
 * (Chan, Golub & LeVeque 1983), over calls, workers or machines.
 *
 *     const moments = new Moments(13).add(part1).add(part2);
 *     moments.merge(Moments.fromJSON(fromAnotherWorker));
 *     moments.mean; moments.variance;
 */
export class Moments {
  readonly #features: number;
  readonly #axis: number;
  #sum: Statistics;

  /** @throws TypeError, RangeError if `features` is not a positive integer or `axis` not an integer */
  constructor(features: number, options: MomentsOptions = {}) {
    optionsObject(options);
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(options.axis ?? -1);
    this.#sum = emptyStatistics(this.#features);
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  /** Values per feature so far. */
  get count(): number {
    return this.#sum.count;
  }

  /** Mean per feature; NaN while count is 0. */
  get mean(): Float64Array {
    return this.#sum.count === 0 ? new Float64Array(this.#features).fill(Number.NaN) : this.#sum.mean.slice();
  }

  /** Biased variance per feature, Σ(x − mean)²/count; NaN while count is 0. */
  get variance(): Float64Array {
    return this.#sum.m2.map((m2) => m2 / this.#sum.count);
  }

  /**
   * Adds the values of x, whose length is a multiple of features.
   *
   * @throws TypeError, RangeError if x or its shape does not fit; what was added before stays
   */
  add(x: Data, options: AddOptions = {}): this {
    optionsObject(options);
    const values = valuesOf("x", x);
    const layout = layoutOf(values.length, this.#features, this.#axis, sizesOf(x, options.shape));
    if (layout.length === 0) return this;
    const part = emptyStatistics(this.#features);
    current().reduce(values, layout, part);
    this.#sum = merged(this.#sum, part);
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @throws TypeError if it is not Moments, RangeError if it has other features
   */
  merge(other: Moments): this {
    if (!(other instanceof Moments)) throw wrongKind("other", "Moments", other);
    if (other.#features !== this.#features) {
      throw wrongValue("other", `features = ${this.#features}`, other.#features);
    }
    this.#sum = merged(this.#sum, other.#sum);
    return this;
  }

  /** The whole state, exact. */
  toJSON(): MomentsJSON {
    const { count, mean, m2 } = this.#sum;
    return {
      features: this.#features,
      axis: this.#axis,
      count,
      mean: listToJson(mean),
      m2: listToJson(m2),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: MomentsJSON): Moments {
    const { features, axis, count, mean, m2 } = fieldsOf("json", json);
    const moments = new Moments(positiveInteger("features", features), {
      axis: checkAxis(axis),
    });
    const n = fromJson("count", count);
    if (!Number.isSafeInteger(n) || n < 0) throw wrongValue("count", "a non-negative integer", n);
    moments.#sum = {
      count: n,
      mean: Float64Array.from(listFromJson("mean", mean, moments.#features)),
      m2: Float64Array.from(listFromJson("m2", m2, moments.#features)),
    };
    return moments;
  }
}

export function emptyStatistics(features: number): Statistics {
  return {
    count: 0,
    mean: new Float64Array(features),
    m2: new Float64Array(features),
  };
}

/**
 * Chan's merge, in float64: with e = b.mean − a.mean and n = a.count + b.count,
 * mean = a.mean + e·b.count/n and m2 = a.m2 + b.m2 + e²·a.count·b.count/n.
 */
function merged(a: Statistics, b: Statistics): Statistics {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const sum = emptyStatistics(a.mean.length);
  sum.count = a.count + b.count;
  const weight = b.count / sum.count;
  for (let j = 0; j < sum.mean.length; j++) {
    const e = b.mean[j] - a.mean[j];
    // An infinite mean stays infinite: ∞ − ∞ would lose it.
    sum.mean[j] = Number.isFinite(e) ? a.mean[j] + e * weight : a.mean[j] * (1 - weight) + b.mean[j] * weight;
    sum.m2[j] = a.m2[j] + b.m2[j] + e * e * a.count * weight;
  }
  return sum;
}
