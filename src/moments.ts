// Mean and variance per feature, of data in any number of parts.

import { checkSame, numberIn, oneOf, optionsObject, positiveInteger, wrongKind } from "./argument.js";
import { type Statistics, viewOf } from "./backend.js";
import { backendFor } from "./environment.js";
import { momentsPresent, type Present } from "./javascript/present.js";
import {
  countFromJson,
  countToJson,
  fieldsOf,
  type JsonNumber,
  listFromJson,
  listToJson,
  sameForAll,
} from "./json.js";
import { checkAxis, type Layout, layoutOf } from "./layout.js";
import { type Data, sizesOf, valuesOf } from "./tensor.js";

export interface MomentsOptions {
  /** The feature axis. Default: −1, the last. */
  axis?: number;
  /**
   * What a NaN does: `"propagate"` makes its feature's mean and variance NaN, `"ignore"` leaves it out, so that every
   * feature has a count of its own. Default: `"propagate"`.
   */
  nan?: "propagate" | "ignore";
}

export interface AddOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. */
  shape?: readonly number[];
}

export interface MomentsJSON {
  features: number;
  axis: number;
  nan: "propagate" | "ignore";
  count: number | number[];
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
  readonly #nan: "propagate" | "ignore";
  #sum: Present | undefined;

  /** @throws TypeError, RangeError if `features` or an option is not valid */
  constructor(features: number, options: MomentsOptions = {}) {
    optionsObject(options);
    const { axis = -1, nan = "propagate" } = options;
    this.#features = positiveInteger("features", features);
    this.#axis = checkAxis(axis);
    this.#nan = nanPolicy(nan);
  }

  get features(): number {
    return this.#features;
  }

  get axis(): number {
    return this.#axis;
  }

  get nan(): "propagate" | "ignore" {
    return this.#nan;
  }

  /** Values per feature so far, without those that were ignored: one number if it is the same for all. */
  get count(): number | Float64Array {
    return oneCount(this.#seen.count);
  }

  /** Mean per feature; NaN where count is 0. */
  get mean(): Float64Array {
    const { count, mean } = this.#seen;
    return seen(mean, count);
  }

  /** Biased variance per feature, Σ(x − mean)²/count; NaN where count is 0. */
  get variance(): Float64Array {
    const { count, m2 } = this.#seen;
    const variance = m2.slice();
    for (let j = 0; j < variance.length; j++) variance[j] /= count[j];
    return variance;
  }

  get #seen(): Present {
    return this.#sum ?? nothing(this.#features);
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
    const part = emptyStatistics(this.#features);
    const pass = backendFor(layout).open(values, null, null);
    try {
      pass.moments(layout, part);
    } finally {
      pass.close();
    }
    const present = { ...part, count: new Float64Array(this.#features).fill(part.count) };
    if (this.#nan === "ignore") ignoreNaN(viewOf(values), layout, present);
    this.#sum = this.#sum === undefined ? present : merged(this.#sum, present);
    return this;
  }

  /**
   * Adds what the other has seen.
   *
   * @throws TypeError if it is not Moments, RangeError if it has other features, another axis or another `nan`
   */
  merge(other: Moments): this {
    if (!(other instanceof Moments)) throw wrongKind("other", "Moments", other);
    checkSame(this, other, ["features", "axis", "nan"]);
    this.#sum = merged(this.#seen, other.#seen);
    return this;
  }

  /** The whole state, exact. */
  toJSON(): MomentsJSON {
    const { count, mean, m2 } = this.#seen;
    return {
      features: this.#features,
      axis: this.#axis,
      nan: this.#nan,
      count: countToJson(count),
      mean: listToJson(mean),
      m2: listToJson(m2),
    };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: MomentsJSON): Moments {
    const { features, axis, nan, count, mean, m2 } = fieldsOf("json", json);
    const moments = new Moments(positiveInteger("features", features), {
      axis: checkAxis(axis),
      nan: nanPolicy(nan),
    });
    const list = (name: string, values: unknown) =>
      Float64Array.from(listFromJson(name, values, moments.#features));
    const sum = {
      count: countFromJson(count, moments.#features),
      mean: list("mean", mean),
      m2: list("m2", m2),
    };
    for (const [j, squares] of sum.m2.entries()) {
      numberIn(`m2[${j}]`, squares, "a non-negative number or NaN", (n) => !(n < 0));
    }
    moments.#sum = sum;
    return moments;
  }
}

function nanPolicy(value: unknown): "propagate" | "ignore" {
  return oneOf("nan", value, ["propagate", "ignore"]);
}

export function emptyStatistics(features: number): Statistics {
  return { count: 0, mean: new Float64Array(features), m2: new Float64Array(features) };
}

function nothing(features: number): Present {
  return { ...emptyStatistics(features), count: new Float64Array(features) };
}

/** A count per feature, as one number if it is the same for all. */
export function oneCount(count: Float64Array): number | Float64Array {
  return sameForAll(count) ? count[0] : count.slice();
}

/** A copy of values per feature; NaN where none has been seen. */
export function seen(values: Float64Array, count: Float64Array): Float64Array {
  const copy = values.slice();
  for (let j = 0; j < copy.length; j++) if (count[j] === 0) copy[j] = Number.NaN;
  return copy;
}

/**
 * NaN and infinity show in the moments that were reduced, so that data without them pay nothing; the features that
 * have them are reduced again, value by value.
 */
function ignoreNaN(x: Float32Array, layout: Layout, part: Present): void {
  const odd: number[] = [];
  for (let j = 0; j < layout.features; j++) if (!Number.isFinite(part.m2[j] + part.mean[j])) odd.push(j);
  if (odd.length > 0) momentsPresent(x, layout, odd, part);
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
