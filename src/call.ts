// A call that maps x to y: its arguments are checked, then its output is found, then it runs.

import { optionsObject, wrongKind, wrongValue } from "./argument.js";
import type { After } from "./backend.js";
import { type Layout, layoutOf } from "./layout.js";
import { type Data, shapeOf, Tensor, valuesOf } from "./tensor.js";

export interface ApplyOptions {
  /** Sizes of x: needed for an array whose feature axis is not the last. A tensor carries its own. */
  shape?: readonly number[];
  /** `"relu"`: max(y, 0). `"relu6"`: min(max(y, 0), 6). */
  activation?: "relu" | "relu6";
  /** Added before the activation: y = activation(map(x) + residual). As long as x. */
  residual?: Data;
}

const CLAMPS = {
  none: { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  relu: { low: 0, high: Number.POSITIVE_INFINITY },
  relu6: { low: 0, high: 6 },
} as const;

/** All that can be wrong with a call's arguments, before anything is written. */
export function checkCall(
  x: Data,
  options: ApplyOptions & { out?: Data },
  features: number,
  axis: number,
): Layout {
  optionsObject(options);
  const { out, residual, activation } = options;
  const input = valuesOf("x", x);
  const layout = layoutOf(input.length, features, axis, shapeOf(x, options.shape));
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
  return layout;
}

/** An output that fits: as long as the input, and the input itself or memory apart from it. */
export function checkOutput(out: Data, name: string, input: Float32Array): void {
  const values = valuesOf("out", out);
  if (values.length !== input.length)
    throw wrongValue("out", `${name}'s length ${input.length}`, values.length);
  if (values.buffer !== input.buffer || values.byteOffset === input.byteOffset) return;
  if (Math.abs(values.byteOffset - input.byteOffset) < input.byteLength) {
    throw new RangeError(`out: expected ${name} itself or memory apart from it, got an overlap of the two`);
  }
}

/** Runs a checked call. Views are taken last, because a new tensor may grow the memory. */
export function run(
  x: Data,
  { out, residual, activation }: ApplyOptions & { out?: Data },
  map: (x: Float32Array, y: Float32Array, after: After) => void,
): Data {
  const y = out ?? (x instanceof Tensor ? new Tensor(x.shape) : new Float32Array(x.length));
  const added = residual === undefined ? null : valuesOf("residual", residual);
  map(valuesOf("x", x), valuesOf("out", y), { residual: added, ...CLAMPS[activation ?? "none"] });
  return y;
}
