// Min-max scaling: every feature onto a range.

import { checkSame, flag, optionsObject, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import type { Backend, Table } from "./backend.js";
import { Extrema, type ExtremaJSON } from "./extrema.js";
import { fieldsOf } from "./json.js";
import { checkAxis } from "./layout.js";
import { doubleLines, singleLines, slope } from "./range.js";
import { inverse, Scaler } from "./scaler.js";

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
  /** null before fitting. */
  extrema: ExtremaJSON | null;
}

type Range = readonly [low: number, high: number];

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
export class MinMaxScaler extends Scaler<Extrema> {
  readonly #range: Range;
  readonly #clip: boolean;

  /** @throws TypeError, RangeError if `features` or an option is not valid */
  constructor(features: number, options: MinMaxScalerOptions = {}) {
    optionsObject(options);
    const { axis = -1, range: given = [0, 1], clip = false } = options;
    const range = checkRange(given);
    const ends: Range = [Math.fround(range[0]), Math.fround(range[1])];
    const [low, high] = ends;
    super({
      empty: () => new Extrema(features, { axis }),
      witnesses: ({ min, max }) => [min, max],
      forward: (extrema, backend) => forward(extrema, ends, backend),
      backward: (extrema, backend) => backward(extrema, ends, backend),
      after: flag("clip", clip) ? { low, high } : {},
    });
    this.#range = range;
    this.#clip = clip;
  }

  get range(): [number, number] {
    return [...this.#range];
  }

  get clip(): boolean {
    return this.#clip;
  }

  /** Minimum per feature; NaN where every value was NaN. undefined before fitting. */
  get min(): Float64Array | undefined {
    return this.fitted?.min;
  }

  /** Maximum per feature; NaN where every value was NaN. undefined before fitting. */
  get max(): Float64Array | undefined {
    return this.fitted?.max;
  }

  /** (range[1] − range[0])/(max − min), with 1 for the max − min of a constant feature. undefined before fitting. */
  get scale(): Float64Array | undefined {
    const [low, high] = this.#range;
    const { min, max } = this;
    return max && min?.map((m, j) => slope({ min: m, max: max[j], low, high }));
  }

  /**
   * Adds what the other was fitted to.
   *
   * @throws TypeError if it is not a MinMaxScaler, RangeError if it has other features or options
   */
  merge(other: MinMaxScaler): this {
    if (!(other instanceof MinMaxScaler)) throw wrongKind("other", "a MinMaxScaler", other);
    checkSame(this, other, ["features", "axis", "range", "clip"]);
    return this.join(other);
  }

  /** The whole state, exact. */
  toJSON(): MinMaxScalerJSON {
    const { features, axis, range, clip, fitted } = this;
    return { features, axis, range, clip, extrema: fitted?.toJSON() ?? null };
  }

  /** @throws TypeError, RangeError if it is not what `toJSON` returned */
  static fromJSON(json: MinMaxScalerJSON): MinMaxScaler {
    const { features, axis, range, clip } = fieldsOf("json", json);
    const scaler = new MinMaxScaler(positiveInteger("features", features), {
      axis: checkAxis(axis),
      range: checkRange(range),
      clip: flag("clip", clip),
    });
    if (json.extrema === null) return scaler;
    return scaler.restore(Extrema.fromJSON(json.extrema));
  }
}

/**
 * For steps in float32 the lines that meet the ends in such steps; in float64 where a feature has none: see range.ts.
 */
function forward({ min, max }: Extrema, [low, high]: Range, backend: Backend): Table {
  const exact = doubleLines({ min, max }, low, high);
  return backend.table(exact, backend.name === "wasm" ? singleLines({ min, max }, low, high) : null);
}

/** None for float32 where max − min is not one, because the product of y and it comes first. */
function backward({ min, max }: Extrema, [low, high]: Range, backend: Backend): Table {
  const map = inverse(doubleLines({ min, max }, low, high));
  let wide = false;
  for (let j = 0; j < min.length; j++) wide ||= max[j] - min[j] > 2 ** 127;
  return backend.table(map, wide ? null : map);
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
  return [low, high];
}
