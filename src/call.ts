// A call that maps x to y: its arguments are checked, then its output is found, then its steps run.

import { oneOf, optionsObject, wrongValue } from "./argument.js";
import { type After, type Pass, type Values, viewOf } from "./backend.js";
import { backendFor } from "./environment.js";
import { type Layout, layoutOf } from "./layout.js";
import { type Data, sizesOf, Tensor, valuesOf } from "./tensor.js";

export interface ApplyOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. A tensor carries its own. */
  shape?: readonly number[];
  /** `"relu"`: max(y, 0). `"relu6"`: min(max(y, 0), 6). */
  activation?: "relu" | "relu6";
  /** Added before the activation: y = activation(map(x) + residual). As long as x. */
  residual?: Data;
}

const AFTER = {
  none: { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  relu: { low: 0, high: Number.POSITIVE_INFINITY },
  relu6: { low: 0, high: 6 },
} satisfies Record<string, After>;

/** A checked call that maps x to y: everything that can be wrong with its arguments has been found out. */
export class Call {
  readonly layout: Layout;
  readonly activated: boolean;
  readonly #after: After;
  readonly #x: Values;
  readonly #beside: Values | null;
  readonly #out: Data | undefined;
  /** Of a tensor that the result will be. */
  readonly #shape: readonly number[] | undefined;

  /**
   * What stands beside x is the residual of the options, or the dy of a backward call.
   *
   * @throws TypeError, RangeError, ReferenceError; nothing is written
   */
  constructor(
    x: Data,
    options: ApplyOptions & { out?: Data },
    features: number,
    axis: number,
    name: "residual" | "dy" = "residual",
    dy?: Data,
  ) {
    optionsObject(options);
    const { out, residual, activation, shape } = options;
    this.#x = valuesOf("x", x);
    this.layout = layoutOf(x.length, features, axis, sizesOf(x, shape));
    if (activation !== undefined) oneOf("activation", activation, ["relu", "relu6"]);
    this.activated = activation !== undefined;
    this.#after = AFTER[activation ?? "none"];
    const beside = name === "dy" ? dy : residual;
    this.#beside = null;
    if (name === "dy" || beside !== undefined) {
      this.#beside = valuesOf(name, beside);
      const { length } = viewOf(this.#beside);
      if (length !== x.length) throw wrongValue(name, `x's length ${x.length}`, length);
      if (out !== undefined) checkOutput(out, name, this.#beside);
    }
    if (out !== undefined) checkOutput(out, "x", this.#x);
    this.#out = out;
    this.#shape = x instanceof Tensor ? x.shape : undefined;
  }

  /** Runs it, into `out` or new memory of x's kind. */
  run(steps: (pass: Pass, layout: Layout, after: After) => void): Data {
    const { layout } = this;
    const y = this.#out ?? (this.#shape ? new Tensor(this.#shape) : new Float32Array(layout.length));
    const pass = backendFor(layout).open(this.#x, valuesOf("out", y), this.#beside);
    try {
      steps(pass, layout, this.#after);
    } finally {
      pass.close();
    }
    return y;
  }
}

/** An output that fits: as long as the input, and the input itself or memory apart from it. */
function checkOutput(out: Data, name: string, input: Values): void {
  const output = valuesOf("out", out);
  if (output === input) return;
  const from = viewOf(input);
  const to = viewOf(output);
  if (to.length !== from.length) throw wrongValue("out", `${name}'s length ${from.length}`, to.length);
  if (to.buffer !== from.buffer || to.byteOffset === from.byteOffset) return;
  if (Math.abs(to.byteOffset - from.byteOffset) < from.byteLength) {
    throw new RangeError(`out: expected ${name} itself or memory apart from it, got an overlap of the two`);
  }
}
