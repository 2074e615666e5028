// An affine map per feature: what every normalization comes down to.

import { checkOptions, type Plain, perFeature, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import type { Coefficients, Mapping, Table } from "./backend.js";
import { APPLY, type ApplyOptions, Call, type Like, type Out, type OutOption } from "./call.js";
import {
  type FoldConvOptions,
  type FoldedLayer,
  type FoldLinearOptions,
  foldConv,
  foldLinear,
  type LayerWeights,
} from "./fold-into.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson, type Parsed } from "./json.js";
import { checkAxis } from "./layout.js";
import { Prepared } from "./prepared.js";
import { isA, Shown } from "./shown.js";
import type { Data } from "./tensor.js";

/** A map's axis and its coefficients, one number for each feature. */
export interface AffineOptions extends Plain {
  /** The feature axis: −1 for tables and NHWC, 1 for NCHW. Default: −1, the last. */
  axis?: number | undefined;
  /** What is subtracted from x. Default: zeros. */
  center?: ArrayLike<number> | undefined;
  /** What the difference is multiplied by. Default: ones. */
  scale?: ArrayLike<number> | undefined;
  /** What is added to the product. Default: zeros. */
  shift?: ArrayLike<number> | undefined;
}

/** A map as JSON. */
export interface AffineJSON {
  /** How many features. */
  features: number;
  /** The feature axis. */
  axis: number;
  /** What is subtracted, per feature. */
  center: JsonNumber[];
  /** What the difference is multiplied by, per feature. */
  scale: JsonNumber[];
  /** What is added, per feature. */
  shift: JsonNumber[];
}

/**
 * y = (x − center)·scale + shift per feature, in float64 until it is applied. Its table is made once, so
 * that applying it costs one kernel call: the fastest way to run a frozen layer many times.
 *
 *     const map = bn.fold();
 *     map.apply(x, { out: x });
 */
export class Affine extends Shown {
  readonly #axis: number;
  readonly #coefficients: Coefficients;
  readonly #prepared = new Prepared<Mapping, Table>(
    () => ({ map: this.#coefficients, features: this.#coefficients.center.length }),
    (backend, mapping) => backend.table(mapping),
  );

  /**
   * @param features how many, at most 2²⁸
   * @param options the feature axis (`axis`), and `center`, `scale` and `shift` per feature
   * @throws TypeError, RangeError if an argument is not valid
   */
  constructor(features: number, options: AffineOptions = {}) {
    super();
    positiveInteger("features", features);
    checkOptions(options, ["axis", "center", "scale", "shift"]);
    const { axis = -1, center, scale, shift } = options;
    this.#axis = checkAxis(axis);
    this.#coefficients = {
      center: coefficient("center", center, features, 0),
      scale: coefficient("scale", scale, features, 1),
      shift: coefficient("shift", shift, features, 0),
    };
  }

  /** How many features. */
  get features(): number {
    return this.#coefficients.center.length;
  }

  /** The feature axis, as the constructor was given it. */
  get axis(): number {
    return this.#axis;
  }

  /** What is subtracted from x, per feature. A copy: the map does not change. */
  get center(): Float64Array<ArrayBuffer> {
    return this.#coefficients.center.slice();
  }

  /** What the difference is multiplied by, per feature. A copy: the map does not change. */
  get scale(): Float64Array<ArrayBuffer> {
    return this.#coefficients.scale.slice();
  }

  /** What is added to the product, per feature. A copy: the map does not change. */
  get shift(): Float64Array<ArrayBuffer> {
    return this.#coefficients.shift.slice();
  }

  /**
   * y = (x − center)·scale + shift, then plus `residual`, then the activation.
   *
   * @param x float32 values, row-major
   * @param options where the result goes (`out`), sizes of an array (`shape`), and what follows the map (`residual`,
   *   `activation`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit
   */
  apply<X extends Data>(x: X, options?: OutOption<Out<X>> & ApplyOptions): Like<X>;
  apply(x: Data, options: OutOption<Data> & ApplyOptions = {}): Data {
    checkOptions(options, APPLY);
    const call = new Call(x, options, this.#coefficients.center.length, this.#axis);
    return call.map(this.#prepared.on(call.backend));
  }

  /**
   * The map that undoes this one: x = (y − shift)/scale + center.
   *
   * @throws RangeError if a scale is 0
   */
  inverse(): Affine {
    const { center, scale, shift } = this.#coefficients;
    const lost = scale.findIndex((s) => Math.abs(1 / s) === Number.POSITIVE_INFINITY);
    if (lost >= 0) throw wrongValue(`scale[${lost}]`, "a number other than 0, to be undone", scale[lost]);
    return this.#with({ center: shift, scale: scale.map((s) => 1 / s), shift: center });
  }

  /**
   * This map and then the other, as one: (x − center)·scale·scale₂ + (shift − center₂)·scale₂ + shift₂.
   *
   * @param other the map that comes after this one
   * @throws TypeError if it is not an Affine, RangeError if it has other features or another axis
   */
  pipe(other: Affine): Affine {
    if (!isA(other, Affine)) throw wrongKind("other", "an Affine", other);
    if (other.features !== this.features) {
      throw wrongValue("other", `features = ${this.features}`, other.features);
    }
    if (other.axis !== this.axis) throw wrongValue("other", `axis = ${this.axis}`, other.axis);
    const { center, scale, shift } = this.#coefficients;
    const next = other.#coefficients;
    return this.#with({
      center,
      scale: scale.map((s, j) => s * next.scale[j]),
      shift: shift.map((b, j) => (b - next.center[j]) * next.scale[j] + next.shift[j]),
    });
  }

  /**
   * A linear layer and this map behind it, as one linear layer (`order: "before"`: the map in front of it).
   * Computed in float64 and rounded once:
   *
   *     after:   W′[o, i] = W[o, i]·scale[o],   bias′[o] = (bias[o] − center[o])·scale[o] + shift[o]
   *     before:  W′[o, i] = W[o, i]·scale[i],   bias′[o] = bias[o] + Σᵢ W[o, i]·(shift[i] − center[i]·scale[i])
   *
   * @param layer weight: O × I values (`layout: "OI"`, PyTorch) or I × O (`"IO"`, Keras); bias: O values, or none
   * @param options the order of the weights (`layout`), and on which side of the layer the map is (`order`)
   * @returns new arrays
   * @throws TypeError, RangeError if the sizes do not fit
   */
  foldIntoLinear(layer: LayerWeights, options: FoldLinearOptions): FoldedLayer {
    return foldLinear(this.#coefficients, layer, options);
  }

  /**
   * A convolution and this map behind it, as one convolution, grouped, depthwise or transposed; see
   * `foldIntoLinear`, with a sum over the inputs of the output's group and all of space.
   *
   * In front of it (`order: "before"`) only where one bias makes up for the map: not with padding, because
   * padded zeros do not pass the map, nor for a transposed convolution, whose outputs see different weights.
   *
   *     bn.fold().foldIntoConv({ weight, bias }, { layout: "OIHW" });
   *     bn.fold().foldIntoConv({ weight, bias }, { layout: "OIHW", groups: 32, order: "before", padding: 0 });
   *     bn.fold().foldIntoConv({ weight, bias }, { layout: "IOHW", shape: [64, 32, 4, 4] });
   *
   * @param layer weight: values in the order of `layout`, see `ConvLayout`; bias: O values, or none
   * @param options the order of the weights (`layout`, `shape`, `groups`), and on which side of the convolution the map is
   *   (`order`, `padding`)
   * @returns new arrays
   * @throws TypeError, RangeError if the sizes do not fit, or for a map that cannot be folded in front
   */
  foldIntoConv(layer: LayerWeights, options: FoldConvOptions): FoldedLayer {
    return foldConv(this.#coefficients, layer, options);
  }

  /** The whole map, exact: for JSON, and for messages to workers, which carry no objects of classes. */
  toJSON(): AffineJSON {
    const { center, scale, shift } = this.#coefficients;
    return {
      features: this.features,
      axis: this.#axis,
      center: listToJson(center),
      scale: listToJson(scale),
      shift: listToJson(shift),
    };
  }

  /**
   * The map that was saved.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<AffineJSON>): Affine {
    const { features, axis, center, scale, shift } = fieldsOf("json", json);
    const length = positiveInteger("features", features);
    return new Affine(length, {
      axis: checkAxis(axis),
      center: listFromJson("center", center, length),
      scale: listFromJson("scale", scale, length),
      shift: listFromJson("shift", shift, length),
    });
  }

  #with(coefficients: Coefficients): Affine {
    return new Affine(this.features, { axis: this.#axis, ...coefficients });
  }
}

function coefficient(
  name: string,
  values: ArrayLike<number> | undefined,
  features: number,
  initial: number,
): Float64Array<ArrayBuffer> {
  if (values === undefined) return new Float64Array(features).fill(initial);
  return Float64Array.from(perFeature(name, values, features));
}
