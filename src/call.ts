// A call that maps x to y: its arguments are checked, then its output is found, then it runs.

import { optionsObject, wrongKind, wrongValue } from "./argument.js";
import type { After } from "./backend.js";
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

const NONE: After = { residual: null, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
const ACTIVATIONS = {
  relu: { residual: null, low: 0, high: Number.POSITIVE_INFINITY },
  relu6: { residual: null, low: 0, high: 6 },
} as const;

/** A checked call that maps x to y: everything that can be wrong with its arguments has been found out. */
export class Call {
  readonly layout: Layout;
  readonly #x: Data;
  readonly #options: ApplyOptions & { out?: Data };

  /** @throws TypeError, RangeError, ReferenceError; nothing is written */
  constructor(x: Data, options: ApplyOptions & { out?: Data }, features: number, axis: number) {
    optionsObject(options);
    const { out, residual, activation, shape } = options;
    const input = valuesOf("x", x);
    this.layout = layoutOf(input.length, features, axis, sizesOf(x, shape));
    if (activation !== undefined && activation !== "relu" && activation !== "relu6") {
      const error = typeof activation === "string" ? wrongValue : wrongKind;
      throw error("activation", '"relu" or "relu6"', activation);
    }
    if (residual !== undefined) {
      const added = valuesOf("residual", residual);
      if (added.length !== input.length)
        throw wrongValue("residual", `x's length ${input.length}`, added.length);
      if (out !== undefined) checkOutput(out, "residual", added);
    }
    if (out !== undefined) checkOutput(out, "x", input);
    this.#x = x;
    this.#options = options;
  }

  /** Runs it, into `out` or new memory of x's kind. Views are taken last: a new tensor may grow the memory. */
  run(map: (x: Float32Array, y: Float32Array, layout: Layout, after: After) => void): Data {
    const x = this.#x;
    const { out, residual, activation } = this.#options;
    const y = out ?? (x instanceof Tensor ? new Tensor(x.shape) : new Float32Array(this.layout.length));
    let after = activation === undefined ? NONE : ACTIVATIONS[activation];
    if (residual !== undefined) after = { ...after, residual: valuesOf("residual", residual) };
    map(valuesOf("x", x), valuesOf("out", y), this.layout, after);
    return y;
  }
}

/** An output that fits: as long as the input, and the input itself or memory apart from it. */
export function checkOutput(out: Data, name: string, input: Float32Array): void {
  const values = valuesOf("out", out);
  if (values === input) return;
  if (values.length !== input.length)
    throw wrongValue("out", `${name}'s length ${input.length}`, values.length);
  if (values.buffer !== input.buffer || values.byteOffset === input.byteOffset) return;
  if (Math.abs(values.byteOffset - input.byteOffset) < input.byteLength) {
    throw new RangeError(`out: expected ${name} itself or memory apart from it, got an overlap of the two`);
  }
}
