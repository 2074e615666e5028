// A call that maps x to y: its arguments are checked, then its output is found, then its steps run.

import { oneOf, type Plain, wrongValue } from "./argument.js";
import {
  type After,
  type Backend,
  type Block,
  type Folded,
  NONE,
  type Pass,
  runOn,
  type View,
  viewOf,
} from "./backend.js";
import { backendFor } from "./environment.js";
import { type Layout, layoutOf } from "./layout.js";
import { type Data, isTensor, shapeOf, sizesOf, Tensor, valuesOf } from "./tensor.js";

/** What results are, by what x is: a tensor for a tensor, an array for an array. */
export type Like<X> = X extends Tensor ? Tensor : Float32Array<ArrayBuffer>;

/** What results may be written into: x itself, or another tensor for a tensor, another array for an array. */
export type Out<X> = X | (X extends Tensor ? Tensor : Float32Array);

/** Where the result goes. */
export interface OutOption<Y> extends Plain {
  /**
   * Memory of yours for the result, as long as x and of its kind: x itself (in place), or memory apart from it (another
   * overlap is a RangeError). Default: new memory.
   */
  out?: Y | undefined;
}

/**
 * The same where it is given.
 *
 * @inline
 */
export interface Into<Y> extends OutOption<Y> {
  /** Memory of yours for the result. */
  out: Y;
}

/** How the values of x lie. */
export interface ShapeOption extends Plain {
  /**
   * Sizes of the axes of x, the slowest first: [8, 64, 56, 56]. Needed for an array whose feature axis is not the last;
   * nested arrays have none. Default: a tensor's own, or rows of all features.
   */
  shape?: readonly number[] | undefined;
}

/** How a map is applied. */
export interface ApplyOptions extends ShapeOption {
  /** `"relu"`: max(y, 0). `"relu6"`: min(max(y, 0), 6). Default: none. */
  activation?: "relu" | "relu6" | undefined;
  /**
   * Added before the activation: y = activation(map(x) + residual). As long as x, of either kind. Where map(x) alone is
   * beyond float32, y may be infinite. Default: none.
   */
  residual?: Data | undefined;
}

const ACTIVATIONS = { relu: { low: 0, high: Number.POSITIVE_INFINITY }, relu6: { low: 0, high: 6 } };
const NAMES = ["relu", "relu6"] as const;

/** The names of a call that applies a map. */
export const APPLY = ["out", "shape", "residual", "activation"] as const;

/** A checked call that maps x to y: everything that can be wrong with its arguments has been found out. */
export class Call {
  readonly layout: Layout;
  readonly backend: Backend;
  /** Sizes of the axes of x, where the shape or a tensor says them. */
  readonly sizes: readonly number[] | undefined;
  readonly after: After;
  readonly x: Float32Array | Block;
  /** The residual, or dy. */
  readonly beside: Float32Array | Block | null;
  /** Where `out` is, if it was given. */
  readonly y: Float32Array | Block | undefined;
  readonly #out: Data | undefined;
  /** Of a tensor that the result will be. */
  readonly #shape: readonly number[] | undefined;

  /**
   * What stands beside x is the residual of the options, or the dy of a backward call. Each option is read once; that
   * no other is given has been checked.
   *
   * @throws TypeError, RangeError, ReferenceError; nothing is written
   */
  constructor(
    x: Data,
    options: OutOption<Data> & ApplyOptions,
    features: number,
    axis: number,
    name: "residual" | "dy" = "residual",
    dy?: Data,
  ) {
    const { out, shape, residual, activation } = options;
    // Before the values, because the items of a list may be getters.
    this.sizes = sizesOf(x, shape);
    this.x = valuesOf("x", x);
    this.layout = layoutOf(viewOf(this.x).length, features, axis, this.sizes);
    this.backend = backendFor(this.layout, this.x);
    this.after = activation === undefined ? NONE : ACTIVATIONS[oneOf("activation", activation, NAMES)];
    const beside = name === "dy" ? dy : residual;
    this.beside = null;
    if (name === "dy" || beside !== undefined) {
      this.beside = valuesOf(name, beside);
      const { length } = viewOf(this.beside);
      if (length !== this.layout.length) throw wrongValue(name, `x's length ${this.layout.length}`, length);
    }
    if (out !== undefined) {
      this.y = valuesOf("out", out);
      if (this.beside) checkOutput(this.y, name, this.beside);
      checkOutput(this.y, "x", this.x);
    }
    this.#out = out;
    this.#shape = out === undefined && isTensor(x) ? shapeOf(x) : undefined;
  }

  /** Runs steps that write nothing. */
  reduce(steps: (pass: Pass, layout: Layout) => void): void {
    runOn(this.backend, this.x, null, this.beside, (pass) => steps(pass, this.layout));
  }

  /** Runs it, into `out` or new memory of x's kind. */
  run(steps: (pass: Pass, layout: Layout, after: After) => void): Data {
    return this.into((values) => {
      runOn(this.backend, this.x, values, this.beside, (pass) => steps(pass, this.layout, this.after));
    });
  }

  /** Runs a map, and what follows it. */
  map(map: Folded, after = this.after): Data {
    return this.into((values) => this.backend.map(this.x, values, this.beside, this.layout, map, after));
  }

  /** Calls back with the values of `out`, or of new memory of x's kind, which is then returned. */
  into(write: (values: Float32Array | Block) => void): Data {
    const y = this.#out ?? (this.#shape ? new Tensor(this.#shape) : new Float32Array(this.layout.length));
    const values = this.y ?? valuesOf("out", y);
    write(values);
    // A view that the call's own memory has made stale is made anew.
    return isTensor(y) || y.length > 0 || this.layout.length === 0 ? y : viewOf(values);
  }
}

/** An output that fits: as long as the input, and the input itself or memory apart from it. */
export function checkOutput(output: View | Block, name: string, input: View | Block, own = "out"): void {
  if (output === input) return;
  const from: View = viewOf(input);
  const to: View = viewOf(output);
  if (to.length !== from.length) throw wrongValue(own, `${name}'s length ${from.length}`, to.length);
  // Of blocks that are apart no view is asked where it begins, which takes 20 ns each.
  if (!ArrayBuffer.isView(input) && !ArrayBuffer.isView(output)) {
    if (input.end <= output.pointer || output.end <= input.pointer) return;
  }
  if (to.byteOffset === from.byteOffset || !overlap(to, from)) return;
  throw new RangeError(`${own}: expected ${name} itself or memory apart from it, got an overlap of the two`);
}

/** Whether two views of equal length have bytes in common. */
export function overlap(a: View, b: View): boolean {
  const apart = Math.abs(a.byteOffset - b.byteOffset);
  // Their buffers last: to ask for them takes as long as all the rest.
  return apart < a.length * a.BYTES_PER_ELEMENT && a.buffer === b.buffer;
}
