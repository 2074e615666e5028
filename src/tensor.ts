// A tensor: values that live in linear memory, so that calls on them copy nothing.

import { isFloat32Array, isFloat64Array, numbers, wrongKind, wrongValue } from "./argument.js";
import type { Block } from "./backend.js";
import { current } from "./environment.js";
import { freeWhenForgotten, neverForgotten } from "./forgotten.js";
import { checkShape, product } from "./layout.js";

/** What calls take: an array, or a tensor. What goes in decides what comes out. */
export type Data = Float32Array | Tensor;

/** The memory of a tensor that is not disposed. */
let blockOf: (tensor: Tensor) => Block | undefined;

/**
 * Row-major float32 values in linear memory.
 *
 *     using x = new Tensor([1000, 64], values);
 *     bn.infer(x, { out: x });
 */
export class Tensor {
  static {
    blockOf = (tensor) => tensor.#block;
  }

  readonly #shape: readonly number[];
  readonly #length: number;
  #block: Block | undefined;

  /**
   * @param shape sizes, at least one
   * @param data the values, copied; zeros if absent
   * @throws TypeError, RangeError if they do not fit each other, or linear memory is exhausted
   */
  constructor(shape: readonly number[], data?: Float32Array | readonly number[]) {
    const sizes = checkShape(shape);
    const length = product(sizes, 0, sizes.length);
    if (data !== undefined) checkData(data, length, sizes);
    this.#shape = Object.freeze(sizes);
    this.#length = length;
    const block = current().allocate(length);
    this.#block = block;
    freeWhenForgotten(this, block);
    if (data) block.values.set(data);
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * The values: a view of where they are now. Read it anew, and do not hold it across the creation of another
   * tensor: when linear memory grows, every view of it goes stale (its length becomes 0).
   *
   * @throws ReferenceError after dispose()
   */
  get data(): Float32Array {
    return blockIn("tensor", this).values;
  }

  /** Gives the memory back. Disposing twice does nothing. */
  dispose(): void {
    if (this.#block === undefined) return;
    neverForgotten(this);
    this.#block.free();
    this.#block = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Where the values of an argument are: a tensor's block, or the array itself. */
export function valuesOf(name: string, data: unknown): Float32Array | Block {
  if (data instanceof Tensor) return blockIn(name, data);
  if (!isFloat32Array(data)) throw notData(name, data);
  if (data.length === 0 && isStale(data)) {
    throw new TypeError(
      `${name}: expected an array in use, got one whose memory was moved (read tensor.data again)`,
    );
  }
  return data;
}

function blockIn(name: string, tensor: Tensor): Block {
  const block = blockOf(tensor);
  if (block === undefined) throw new ReferenceError(`${name}: expected a tensor in use, got a disposed one`);
  return block;
}

/** What to do with numbers of another kind. */
function notData(name: string, data: unknown): TypeError {
  const error = wrongKind(name, "a Float32Array or a Tensor", data);
  if (isFloat64Array(data)) error.message += ` (write Float32Array.from(${name}))`;
  return error;
}

/** Initial values: an array of numbers, as long as the shape says. */
function checkData(data: unknown, length: number, shape: readonly number[]): void {
  if (!isFloat32Array(data) && !Array.isArray(data)) {
    throw wrongKind("data", "a Float32Array or an array of numbers", data);
  }
  if (data.length !== length) {
    throw wrongValue("data", `a length of ${length} for shape [${shape.join(", ")}]`, data.length);
  }
  if (Array.isArray(data)) numbers("data", data);
}

/** The sizes of an argument: given with the call, or carried by a tensor. */
export function sizesOf(data: unknown, shape: unknown): readonly number[] | undefined {
  if (shape !== undefined) return checkShape(shape);
  return data instanceof Tensor ? data.shape : undefined;
}

/** Whether an empty array lost its buffer to a transfer or a growth. */
function isStale(array: Float32Array): boolean {
  try {
    new Uint8Array(array.buffer);
    return false;
  } catch {
    return true;
  }
}
