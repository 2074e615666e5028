// Minimum and maximum per feature, of data in any number of parts.

import { numberIn, optionsObject, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import { current, type Extremes } from "./backend.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson } from "./json.js";
import { checkAxis, layoutOf, samples } from "./layout.js";
import type { AddOptions } from "./moments.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

export interface ExtremaOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
}

export interface ExtremaJSON {
  features: number;
  axis: number;
  count: number;
  min: JsonNumber[];
  max: JsonNumber[];
}

/**
 * The smallest and the largest value per feature; NaN is ignored. Extrema of parts merge into the extrema
 * of the whole, over calls, workers or machines.
 *
 *     const extrema = new Extrema(13).add(part1).add(part2);
 *     extrema.merge(Extrema.fromJSON(fromAnotherWorker));
 *     extrema.min; extrema.max;
 */
export class Extrema {
  readonly #features: number;
  readonly #axis: number;
  #count = 0;
  #extremes: Extremes;

  /** @throws TypeError, RangeError if `features` is not a positive integer or `axis` not an integer */
  constructor(features: number, options: ExtremaOptions = {}) {
    optionsObject(options);
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(options.axis ?? -1);
    this.#extremes = noExtremes(this.#features);
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  /** Values per feature so far, NaN included. */
  get count(): number {
    return this.#count;
  }

  /** Minimum per feature; NaN where there was no value but NaN. */
  get min(): Float64Array {
    return this.#seen(this.#extremes.min);
  }

  /** Maximum per feature; NaN where there was no value but NaN. */
  get max(): Float64Array {
    return this.#seen(this.#extremes.max);
  }

  #seen(values: Float64Array): Float64Array {
    const { min, max } = this.#extremes;
    const seen = values.slice();
    for (let j = 0; j < this.#features; j++) if (min[j] > max[j]) seen[j] = Number.NaN;
    return seen;
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
    const part = noExtremes(this.#features);
    current().extrema(values, layout, part);
    this.#join(part, samples(layout));
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @throws TypeError if it is not Extrema, RangeError if it has other features
   */
  merge(other: Extrema): this {
    if (!(other instanceof Extrema)) throw wrongKind("other", "Extrema", other);
    if (other.#features !== this.#features) {
      throw wrongValue("other", `features = ${this.#features}`, other.#features);
    }
    this.#join(other.#extremes, other.#count);
    return this;
  }

  /** Adding 0 makes −0, which equals 0, the same number in whatever order it is met. */
  #join(part: Extremes, count: number): void {
    const { min, max } = this.#extremes;
    for (let j = 0; j < this.#features; j++) {
      min[j] = Math.min(min[j], part.min[j]) + 0;
      max[j] = Math.max(max[j], part.max[j]) + 0;
    }
    this.#count += count;
  }

  /** The whole state, exact. The minimum of no values is "Infinity", their maximum "-Infinity". */
  toJSON(): ExtremaJSON {
    const { min, max } = this.#extremes;
    return {
      features: this.#features,
      axis: this.#axis,
      count: this.#count,
      min: listToJson(min),
      max: listToJson(max),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: ExtremaJSON): Extrema {
    const { features, axis, count, min, max } = fieldsOf("json", json);
    const extrema = new Extrema(positiveInteger("features", features), {
      axis: checkAxis(axis),
    });
    extrema.#count = numberIn(
      "count",
      count,
      "a non-negative integer",
      (n) => Number.isSafeInteger(n) && n >= 0,
    );
    extrema.#extremes = {
      min: Float64Array.from(listFromJson("min", min, extrema.#features)),
      max: Float64Array.from(listFromJson("max", max, extrema.#features)),
    };
    return extrema;
  }
}

export function noExtremes(features: number): Extremes {
  return {
    min: new Float64Array(features).fill(Number.POSITIVE_INFINITY),
    max: new Float64Array(features).fill(Number.NEGATIVE_INFINITY),
  };
}
