// What layer and RMS normalization are: every row is normalized by itself. Calls are checked, then their steps run.

import { checkOptions, type Plain, positiveInteger, wrongKind, wrongValue } from "./argument.js";
import { type RowNorm, type Rows, viewOf } from "./backend.js";
import { checkOutput, type Like, type Out, type OutOption, overlap } from "./call.js";
import { rowStepsFor } from "./environment.js";
import { layoutOf, product } from "./layout.js";
import {
  type BackwardResult,
  checkInUse,
  checkNotOwn,
  noGradients,
  normOf,
  type ParameterOptions,
  resultOf,
} from "./parameters.js";
import { Shown } from "./shown.js";
import { type Data, isTensor, shapeOf, Tensor, valuesOf } from "./tensor.js";

/** What is added before the norm. */
export interface SkipOptions extends Plain {
  /** Added to x before the norm, which normalizes x + skip. As long as x, of either kind. Default: none. */
  skip?: Data | undefined;
  /**
   * Memory of yours that receives x + skip, the residual stream that goes on: x or skip itself, or memory apart from
   * them and from `out`. As long as x, of either kind. Default: it is not kept.
   */
  sum?: Data | undefined;
}

export abstract class RowNormalization extends Shown {
  readonly #norm: RowNorm;

  constructor(
    features: number,
    centered: boolean,
    { gamma, beta, epsilon }: Pick<ParameterOptions, "gamma" | "beta" | "epsilon">,
  ) {
    super();
    positiveInteger("features", features);
    this.#norm = { features, centered, ...normOf(features, gamma, beta, epsilon) };
  }

  /** How many features: values of a row. */
  get features(): number {
    return this.#norm.features;
  }

  /** What is added inside the root. */
  get epsilon(): number {
    return this.#norm.epsilon;
  }

  /** Scale per feature, or null. May be changed in place between calls. */
  get gamma(): Float32Array<ArrayBuffer> | null {
    return this.#norm.gamma;
  }

  /**
   * Normalizes every row of x, or of x + `skip`.
   *
   * @param x float32 values, row-major: rows of all features
   * @param options where the result goes (`out`), what is added before (`skip`), and where that goes (`sum`)
   * @returns `out`, or a new array or tensor of x's shape
   * @throws TypeError, RangeError, ReferenceError if an argument does not fit; nothing is written
   */
  apply<X extends Data>(x: X, options?: OutOption<Out<X>> & SkipOptions): Like<X>;
  apply(x: Data, options: OutOption<Data> & SkipOptions = {}): Data {
    checkOptions(options, ["out", "skip", "sum"]);
    const { out, skip, sum } = options;
    const values = this.#rowsOf(x);
    const norm = this.parameters();
    const added = skip === undefined ? null : beside("skip", skip, values);
    const sums = sum === undefined ? null : beside("sum", sum, values);
    const to = out === undefined ? null : valuesOf("out", out);
    if (sums !== null) {
      if (added === null) throw wrongKind("skip", "what is added to x, because sum is given", skip);
      checkOutput(sums, "x", values, "sum");
      checkOutput(sums, "skip", added, "sum");
      checkNotOwn("sum", sums, { gamma: norm.gamma, beta: norm.beta });
    }
    if (to !== null) {
      checkOutput(to, "x", values);
      if (added !== null) checkOutput(to, "skip", added);
      checkNotOwn("out", to, { gamma: norm.gamma, beta: norm.beta });
      if (sums !== null && overlap(viewOf(to), viewOf(sums))) {
        throw new RangeError("sum: expected memory apart from out, got an overlap of the two");
      }
    }
    const y = out ?? like(x, values);
    const { length } = viewOf(values);
    const steps = rowStepsFor(length, norm.features);
    if (length > 0) steps.apply(norm, values, to ?? valuesOf("out", y), added, sums);
    return y;
  }

  /** What `backward` of both does. */
  protected gradientsOf(x: Data, dy: Data, options: OutOption<Data>): BackwardResult<Data> {
    checkOptions(options, ["out"]);
    const { out } = options;
    const values = this.#rowsOf(x);
    const norm = this.parameters();
    const slope = beside("dy", dy, values);
    const to = out === undefined ? null : valuesOf("out", out);
    if (to !== null) {
      checkOutput(to, "x", values);
      checkOutput(to, "dy", slope);
      checkNotOwn("out", to, { gamma: norm.gamma });
    }
    const dx = out ?? like(x, values);
    const gradients = noGradients(norm.features);
    const { length } = viewOf(values);
    const steps = rowStepsFor(length, norm.features);
    if (length > 0) steps.backward(norm, values, slope, to ?? valuesOf("out", dx), gradients);
    return resultOf(dx, norm, gradients);
  }

  /** The settings and parameters: not a getter, which consoles show. */
  protected norm(): RowNorm {
    return this.#norm;
  }

  /** The same; @throws TypeError if the memory of gamma or beta was transferred */
  protected parameters(): RowNorm {
    const { features, gamma, beta } = this.#norm;
    checkInUse("gamma", gamma, features);
    checkInUse("beta", beta, features);
    return this.#norm;
  }

  /** The values of x, which are rows of all features: of a tensor the last axis, or the last axes together. */
  #rowsOf(x: Data): Rows {
    const { features } = this.#norm;
    const values = valuesOf("x", x);
    if (!isTensor(x)) {
      layoutOf(viewOf(values).length, features, -1, undefined);
      return values;
    }
    const shape = shapeOf(x);
    let at = shape.length - 1;
    while (at > 0 && product(shape, at, shape.length) < features) at--;
    if (product(shape, at, shape.length) === features) return values;
    throw wrongValue("x", `a tensor whose last axes have features = ${features} values`, shape);
  }
}

/** Values as long as x. */
function beside(name: string, data: Data, x: Rows): Rows {
  const values = valuesOf(name, data);
  const { length } = viewOf(x);
  if (viewOf(values).length !== length) throw wrongValue(name, `x's length ${length}`, viewOf(values).length);
  return values;
}

/** New memory of x's kind. */
function like(x: Data, values: Rows): Data {
  return isTensor(x) ? new Tensor(shapeOf(x)) : new Float32Array(viewOf(values).length);
}
