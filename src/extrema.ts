// Minimum and maximum per feature, of data in any number of parts.

import { checkOptions, checkSame, type Plain, wrongKind, wrongValue } from "./argument.js";
import type { Bounds, Ends } from "./backend.js";
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
} from "./json.js";
import { checkAxis } from "./layout.js";
import { type AddOptions, oneCount, seen } from "./moments.js";
import type { Samples } from "./samples.js";
import { isA, Shown } from "./shown.js";

/** Which axis holds the features. */
export interface ExtremaOptions extends Plain {
  /** The feature axis; nested arrays are rows with −1 and columns with 0. Default: −1, the last. */
  axis?: number | undefined;
}

/** Extrema as JSON. */
export interface ExtremaJSON {
  /** How many features; null before any data, where the constructor did not say. */
  features: number | null;
  /** The feature axis. */
  axis: number;
  /** Values per feature: one number if it is the same for all. */
  count: number | number[];
  /** Minimum per feature, "Infinity" for no values. */
  min: JsonNumber[];
  /** Maximum per feature, "-Infinity" for no values. */
  max: JsonNumber[];
}

/**
 * The smallest and the largest value per feature; NaN is ignored. Extrema of parts merge into the extrema
 * of the whole, over calls, workers or machines.
 *
 *     const extrema = new Extrema().add(rows);
 *     extrema.merge(Extrema.fromJSON(fromAnotherWorker));
 *     extrema.min; extrema.max;
 */
export class Extrema extends Shown {
  readonly #features: Features;
  #ends: Ends | undefined;

  /**
   * @param features how many, at most 2²⁸; if left out, the first data that says it decides: nested arrays, a tensor, a
   *   shape. Or the options
   * @param options the feature axis (`axis`)
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features?: number | ExtremaOptions, options?: ExtremaOptions) {
    super();
    const [size, given = {}] = argumentsOf(features, options);
    checkOptions(given, ["axis"]);
    const { axis = -1 } = given;
    this.#features = new Features(size, axis);
  }

  /** How many features; undefined until data says it, where the constructor did not. */
  get features(): number | undefined {
    return this.#features.size;
  }

  /** The feature axis, as the constructor was given it. */
  get axis(): number {
    return this.#features.axis;
  }

  /** Values per feature so far, NaN not counted: one number if it is the same for all. */
  get count(): number | Float64Array<ArrayBuffer> {
    return oneCount(this.#seen.count);
  }

  /** Minimum per feature; NaN where count is 0. */
  get min(): Float64Array<ArrayBuffer> {
    const { count, min } = this.#seen;
    return seen(min, count);
  }

  /** Maximum per feature; NaN where count is 0. */
  get max(): Float64Array<ArrayBuffer> {
    const { count, max } = this.#seen;
    return seen(max, count);
  }

  /**
   * Minimum and maximum without copies, unless a feature has no value.
   *
   * @internal
   */
  bounds(): Bounds {
    const { count, min, max } = this.#seen;
    return count.includes(0) ? { min: seen(min, count), max: seen(max, count) } : { min, max };
  }

  get #seen(): Ends {
    return this.#ends ?? nothing(this.features ?? 0);
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
    statisticsFor(layout, values).extrema(values, layout, part);
    this.#features.decide(layout.features);
    if (this.#ends === undefined) this.#ends = part;
    else this.#join(part);
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @param other extrema of other data, of the same features; it stays as it is
   * @returns this
   * @throws TypeError if it is not Extrema, RangeError if it has other features or another axis
   */
  merge(other: Extrema): this {
    if (!isA(other, Extrema)) throw wrongKind("other", "Extrema", other);
    checkFeatures(this.features, other.features);
    checkSame(this, other, ["axis"]);
    if (other.#ends !== undefined) this.#join(other.#ends);
    return this;
  }

  /** Adding 0 makes −0, which equals 0, the same number in whatever order it is met. */
  #join(part: Ends): void {
    this.#features.decide(part.count.length);
    this.#ends ??= nothing(part.count.length);
    const { count, min, max } = this.#ends;
    for (let j = 0; j < count.length; j++) {
      min[j] = Math.min(min[j], part.min[j]) + 0;
      max[j] = Math.max(max[j], part.max[j]) + 0;
      count[j] += part.count[j];
    }
  }

  /**
   * The whole state, exact: for JSON, and for messages to workers, which carry no objects of classes. The minimum of no
   * values is "Infinity", their maximum "-Infinity".
   */
  toJSON(): ExtremaJSON {
    const { features = null, axis } = this;
    const { count, min, max } = this.#seen;
    return { features, axis, count: countToJson(count), min: listToJson(min), max: listToJson(max) };
  }

  /**
   * The extrema that were saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<ExtremaJSON>): Extrema {
    const { features, axis, count, min, max } = fieldsOf("json", json);
    const size = featuresFromJson(features);
    const extrema = new Extrema(size, { axis: checkAxis(axis) });
    const length = size ?? 0;
    const least = listFromJson("min", min, length);
    const most = listFromJson("max", max, length);
    const counts = countFromJson(count, length);
    if (size === undefined) return extrema;
    for (let j = 0; j < size; j++) {
      const none = least[j] === Number.POSITIVE_INFINITY && most[j] === Number.NEGATIVE_INFINITY;
      if (counts[j] === 0 ? !none : !(least[j] <= most[j])) {
        const expected = counts[j] === 0 ? '"Infinity" and "-Infinity" for no values' : "min ≤ max";
        throw wrongValue("json", expected, `min ${least[j]} and max ${most[j]} of feature ${j}`);
      }
    }
    extrema.#join({ count: counts, min: Float64Array.from(least), max: Float64Array.from(most) });
    return extrema;
  }
}

function nothing(features: number): Ends {
  // One array in three parts: to make an array takes longer than to reduce a small table.
  const all = new Float64Array(3 * features);
  const part = (i: number) => all.subarray(i * features, (i + 1) * features);
  return {
    count: part(0),
    min: part(1).fill(Number.POSITIVE_INFINITY),
    max: part(2).fill(Number.NEGATIVE_INFINITY),
  };
}
