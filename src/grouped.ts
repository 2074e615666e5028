// What group and instance normalization are. Two layouts: groups of features for the statistics, features for the map.

import { checkOptions, positiveInteger, wrongValue } from "./argument.js";
import { type After, type Norm, type Pass, runOn, type Statistics, viewOf } from "./backend.js";
import {
  APPLY,
  type ApplyOptions,
  Call,
  type Like,
  type Out,
  type OutOption,
  type ShapeOption,
} from "./call.js";
import { backendFor } from "./environment.js";
import { Layer, NORM } from "./layer.js";
import { type Layout, product } from "./layout.js";
import { emptyStatistics } from "./moments.js";
import { type BackwardResult, type NormOptions, noGradients, resultOf } from "./parameters.js";
import type { Data } from "./tensor.js";

/** Values of a part, which all steps take before the next part. */
const PART = 512 * 1024;

/** Features of a part: as many as are folded at once. */
const FEATURES = 4096;

/** Groups of features of one image, or of several images: their features are `first`, `first` + 1, …, in rounds. */
interface Part {
  readonly layout: Layout;
  readonly first: number;
  /** Per feature that of its group. */
  readonly statistics: Statistics;
  readonly norm: Norm;
  readonly after: After;
}

export abstract class Grouped extends Layer {
  /** Features per group. */
  readonly #per: number;
  /** Of the latest part: kept, because new ones take a microsecond. */
  #statistics = emptyStatistics(0);

  constructor(groups: number, features: number, options: NormOptions, known = NORM) {
    super(features, options, known);
    this.#per = features / positiveInteger("groups", groups);
    if (features % groups !== 0) throw wrongValue("groups", `a divisor of features = ${features}`, groups);
    if (this.axis === 0) throw wrongValue("axis", "an axis after the first, which is the batch", 0);
  }

  /**
   * Normalizes x by the mean and biased variance of every group of every image: y = (x − mean)/√(variance + epsilon)
   * · gamma + beta, then plus `residual`, then the activation.
   *
   * @param x float32 values, row-major; its first axis is the batch
   * @param options where the result goes (`out`), sizes of an array (`shape`), and what follows the map (`residual`,
   *   `activation`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError if an argument does not fit
   */
  apply<X extends Data>(x: X, options?: OutOption<Out<X>> & ApplyOptions): Like<X>;
  apply(x: Data, options: OutOption<Data> & ApplyOptions = {}): Data {
    checkOptions(options, APPLY);
    const call = new Call(x, options, this.features, this.axis);
    return this.#run(call, (pass, part) => pass.apply(part.layout, part, part.after));
  }

  /**
   * The gradients of `apply(x)`. With s = 1/√(variance + epsilon), x̂ = (x − mean)·s and u = dy·gamma they are, means
   * taken over the values of a group of an image,
   *
   *     dBeta = Σdy,   dGamma = Σdy·x̂,   dx = s·(u − mean(u) − x̂·mean(u·x̂))
   *
   * A residual's gradient is dy itself. After an activation multiply dy by its slope first.
   *
   * @param x what `apply` was given: keep it, in place it is gone
   * @param dy the gradient of the loss with respect to what `apply` returned: as long as x, of either kind
   * @param options where dx goes (`out`), and sizes of an array (`shape`)
   * @returns dx in `out`, which may be dy or x, or in new memory of x's kind; dGamma and dBeta per
   *   feature, null where the layer has none
   * @throws TypeError, RangeError if an argument does not fit
   */
  backward<X extends Data>(
    x: X,
    dy: Data,
    options?: OutOption<Out<X>> & ShapeOption,
  ): BackwardResult<Like<X>>;
  backward(x: Data, dy: Data, options: OutOption<Data> & ShapeOption = {}): BackwardResult<Data> {
    checkOptions(options, ["out", "shape"]);
    const { out, shape } = options;
    const call = new Call(x, { out, shape }, this.features, this.axis, "dy", dy);
    const gradients = noGradients(this.features);
    let own = noGradients(0);
    const dx = this.#run(call, (pass, { layout, first, statistics, norm }) => {
      if (own.dBeta.length !== layout.features) own = noGradients(layout.features);
      pass.gradients(layout, statistics, norm, own);
      addInRounds(gradients.dGamma, own.dGamma, first);
      addInRounds(gradients.dBeta, own.dBeta, first);
      sumGroups(own.dGamma, norm.gamma, this.#per);
      sumGroups(own.dBeta, norm.gamma, this.#per);
      pass.slope(layout, statistics, norm, own);
    });
    return resultOf(dx, this.parameters(), gradients);
  }

  /**
   * Reduces x part by part, and runs what follows. Features right behind the batch make every group a plane, and a part
   * whole images, or groups of one; otherwise a part is an image.
   */
  #run(call: Call, steps: (pass: Pass, part: Part) => void): Data {
    const { gamma, beta, epsilon } = this.parameters();
    const features = this.features;
    const per = this.#per;
    const { images, rows, inner } = imagesOf(call, this.axis);
    const plane = rows * inner;
    const fitting = Math.min(Math.floor(PART / plane), FEATURES, images * features);
    const unit = fitting < features ? per : features;
    const most = rows === 1 ? Math.max(1, Math.floor(fitting / unit)) * unit : features;
    const gammas = gamma && rounds(gamma, most);
    const betas = beta && rounds(beta, most);

    return call.into((values) => {
      // Views are made after y: nothing grows the memory from here on.
      const x = viewOf(call.x);
      const out = viewOf(values);
      const beside = call.beside && viewOf(call.beside);
      for (let from = 0, first = 0; from < x.length; from += most * plane) {
        const to = Math.min(from + most * plane, x.length);
        const layout = { outer: rows, features: (to - from) / plane, inner, length: to - from };
        const width = layout.features;
        if (this.#statistics.mean.length !== width) this.#statistics = emptyStatistics(width);
        const statistics = this.#statistics;
        const here = (values: Float32Array<ArrayBuffer> | null) =>
          values?.subarray(first, first + width) ?? null;
        const norm = { gamma: here(gammas), beta: here(betas), epsilon };
        const part = { layout, first, statistics, norm, after: call.after };
        const values = x.subarray(from, to);
        runOn(
          backendFor(layout, values),
          values,
          out.subarray(from, to),
          beside?.subarray(from, to) ?? null,
          (pass) => {
            reduce(pass, layout, per, statistics);
            steps(pass, part);
          },
        );
        first = (first + width) % features;
      }
    });
  }
}

/** The batch, and what stands around the feature axis in an image. */
function imagesOf({ sizes }: Call, axis: number): { images: number; rows: number; inner: number } {
  if (sizes === undefined) {
    throw new TypeError("shape: expected the sizes of x, the first that of the batch, got undefined");
  }
  const at = axis < 0 ? sizes.length + axis : axis;
  if (at === 0) {
    throw wrongValue("shape", `an axis before axis ${axis}, which is the batch`, sizes);
  }
  return { images: sizes[0], rows: product(sizes, 1, at), inner: product(sizes, at + 1, sizes.length) };
}

/** Values per feature in rounds, so that a part of `most` features may begin at any. */
function rounds(values: Float32Array<ArrayBuffer>, most: number): Float32Array<ArrayBuffer> {
  const features = values.length;
  if (most === features) return values;
  const repeated = new Float32Array(features + most);
  for (let at = 0; at < repeated.length; at += features) {
    repeated.set(at + features > repeated.length ? values.subarray(0, repeated.length - at) : values, at);
  }
  return repeated;
}

/** reduce: per feature the statistics of its group, which has `per` features. */
function reduce(pass: Pass, layout: Layout, per: number, into: Statistics): void {
  const { outer, features, inner, length } = layout;
  const { mean, m2 } = into;
  if (outer > 1 || per === 1) {
    pass.moments(layout, into);
    if (per > 1) merge(into, per);
    return;
  }
  const groups = features / per;
  const own = { count: 0, mean: mean.subarray(0, groups), m2: m2.subarray(0, groups) };
  pass.moments({ outer: 1, features: groups, inner: per * inner, length }, own);
  into.count = own.count;
  // From the end: what is written has been read.
  for (let j = features - 1, group = groups - 1; group >= 0; group--) {
    const center = mean[group];
    const squares = m2[group];
    for (const end = group * per; j >= end; j--) {
      mean[j] = center;
      m2[j] = squares;
    }
  }
}

/** Features that stand in turn become their group, by Chan's formula for parts that are equally large. */
function merge(statistics: Statistics, per: number): void {
  const { count, mean, m2 } = statistics;
  for (let from = 0; from < mean.length; from += per) {
    const to = from + per;
    let sum = 0;
    for (let j = from; j < to; j++) sum += mean[j];
    const center = sum / per;
    let squares = 0;
    for (let j = from; j < to; j++) {
      const apart = mean[j] - center;
      squares += m2[j] + count * apart * apart;
    }
    for (let j = from; j < to; j++) {
      mean[j] = center;
      m2[j] = squares;
    }
  }
  statistics.count = count * per;
}

/** Adds what was found for the features `first`, `first` + 1, …, in rounds. */
function addInRounds(to: Float64Array, values: Float64Array, first: number): void {
  let at = first;
  for (let j = 0; j < values.length; j++) {
    to[at] += values[j];
    if (++at === to.length) at = 0;
  }
}

/** Values times gamma, per feature the sum of its group: as `slope` takes gradients. */
function sumGroups(values: Float64Array, gamma: Float32Array | null, per: number): void {
  for (let from = 0; from < values.length; from += per) {
    let sum = 0;
    for (let j = from; j < from + per; j++) sum += gamma === null ? values[j] : gamma[j] * values[j];
    for (let j = from; j < from + per; j++) values[j] = sum;
  }
}
