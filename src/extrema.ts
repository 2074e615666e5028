// Minimum and maximum per feature, of data in any number of parts.

import { checkSame, optionsObject, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import { type Bounds, viewOf } from "./backend.js";
import { backendFor } from "./environment.js";
import { countPresent } from "./javascript/present.js";
import { countFromJson, countToJson, fieldsOf, type JsonNumber, listFromJson, listToJson } from "./json.js";
import { checkAxis, layoutOf, samples } from "./layout.js";
import { type AddOptions, oneCount, seen } from "./moments.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

export interface ExtremaOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
}

export interface ExtremaJSON {
  features: number;
  axis: number;
  count: number | number[];
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
  readonly #count: Float64Array;
  readonly #bounds: Bounds;

  /** @throws TypeError, RangeError if `features` is not a positive integer or `axis` not an integer */
  constructor(features: number, options: ExtremaOptions = {}) {
    optionsObject(options);
    const { axis = -1 } = options;
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(axis);
    this.#count = new Float64Array(this.#features);
    this.#bounds = {
      min: new Float64Array(this.#features).fill(Number.POSITIVE_INFINITY),
      max: new Float64Array(this.#features).fill(Number.NEGATIVE_INFINITY),
    };
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  /** Values per feature so far, NaN not counted: one number if it is the same for all. */
  get count(): number | Float64Array {
    return oneCount(this.#count);
  }

  /** Minimum per feature; NaN where count is 0. */
  get min(): Float64Array {
    return seen(this.#bounds.min, this.#count);
  }

  /** Maximum per feature; NaN where count is 0. */
  get max(): Float64Array {
    return seen(this.#bounds.max, this.#count);
  }

  /**
   * Adds the values of x, whose length is a multiple of features.
   *
   * @throws TypeError, RangeError if x or its shape does not fit; what was added before stays
   */
  add(x: Data, options: AddOptions = {}): this {
    optionsObject(options);
    const { shape } = options;
    const values = valuesOf("x", x);
    const layout = layoutOf(x.length, this.#features, this.#axis, sizesOf(x, shape));
    if (layout.length === 0) return this;
    const part = { min: new Float64Array(this.#features), max: new Float64Array(this.#features) };
    const pass = backendFor(layout).open(values, null, null);
    let odd: boolean;
    try {
      odd = pass.extrema(layout, part);
    } finally {
      pass.close();
    }
    const count = odd
      ? countPresent(viewOf(values), layout)
      : new Float64Array(this.#features).fill(samples(layout));
    this.#join(part, count);
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @throws TypeError if it is not Extrema, RangeError if it has other features or another axis
   */
  merge(other: Extrema): this {
    if (!(other instanceof Extrema)) throw wrongKind("other", "Extrema", other);
    checkSame(this, other, ["features", "axis"]);
    this.#join(other.#bounds, other.#count);
    return this;
  }

  /** Adding 0 makes −0, which equals 0, the same number in whatever order it is met. */
  #join(part: Bounds, count: Float64Array): void {
    const { min, max } = this.#bounds;
    for (let j = 0; j < this.#features; j++) {
      min[j] = Math.min(min[j], part.min[j]) + 0;
      max[j] = Math.max(max[j], part.max[j]) + 0;
      this.#count[j] += count[j];
    }
  }

  /** The whole state, exact. The minimum of no values is "Infinity", their maximum "-Infinity". */
  toJSON(): ExtremaJSON {
    const { min, max } = this.#bounds;
    return {
      features: this.#features,
      axis: this.#axis,
      count: countToJson(this.#count),
      min: listToJson(min),
      max: listToJson(max),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: ExtremaJSON): Extrema {
    const { features, axis, count, min, max } = fieldsOf("json", json);
    const extrema = new Extrema(positiveInteger("features", features), { axis: checkAxis(axis) });
    const least = listFromJson("min", min, extrema.#features);
    const most = listFromJson("max", max, extrema.#features);
    const counts = countFromJson(count, extrema.#features);
    for (let j = 0; j < extrema.#features; j++) {
      const none = least[j] === Number.POSITIVE_INFINITY && most[j] === Number.NEGATIVE_INFINITY;
      if (counts[j] === 0 ? !none : !(least[j] <= most[j])) {
        const expected = counts[j] === 0 ? '"Infinity" and "-Infinity" for no values' : "min ≤ max";
        throw wrongValue("json", expected, `min ${least[j]} and max ${most[j]} of feature ${j}`);
      }
    }
    extrema.#join({ min: Float64Array.from(least), max: Float64Array.from(most) }, counts);
    return extrema;
  }
}
