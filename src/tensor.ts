// A tensor: values that live in linear memory, so that calls on them copy nothing.

import {
  copyNumbers,
  inUse,
  isFloat32Array,
  isFloat64Array,
  isList,
  tagOf,
  wrongKind,
  wrongValue,
} from "./argument.js";
import { type Block, viewOf } from "./backend.js";
import { current, placed } from "./environment.js";
import { freeWhenForgotten, neverForgotten, type Owner, scopes } from "./forgotten.js";
import { fieldsOf, type JsonNumber, listFromJson, listToJson, type Parsed } from "./json.js";
import { checkShape, product } from "./layout.js";
import { Shown } from "./shown.js";

/** What layers and maps take: a float32 array, or a tensor. What goes in decides what comes out. */
export type Data = Float32Array | Tensor;

/** A tensor as JSON. */
export interface TensorJSON {
  /** Sizes of the axes. */
  shape: readonly number[];
  /** The values, row-major. */
  data: JsonNumber[];
}

/** The tensor of a view that was handed out: who holds the view keeps its memory. */
const owners = new WeakMap<Float32Array, Tensor>();

/** The memory of a tensor that is not disposed. */
let blockOf: (tensor: Tensor) => Block | undefined;

/** Its sizes, also of a subclass whose `shape` says something else. */
export let shapeOf: (tensor: Tensor) => readonly number[];

let isMade: (value: object) => value is Tensor;

/**
 * Row-major float32 values in linear memory.
 *
 *     using x = new Tensor([1000, 64], values);
 *     bn.infer(x, { out: x });
 */
export class Tensor extends Shown {
  static {
    blockOf = (tensor) => tensor.#block;
    shapeOf = (tensor) => tensor.#shape;
    isMade = (value): value is Tensor => #block in value;
    // Where the language has no Symbol.dispose, what compilers make of `using` asks for this one.
    if (typeof Symbol.dispose !== "symbol") {
      Reflect.defineProperty(Tensor.prototype, Symbol.for("Symbol.dispose"), {
        value: Tensor.prototype.dispose,
        writable: true,
        configurable: true,
      });
    }
  }

  readonly #shape: readonly number[];
  readonly #length: number;
  #block: Block | undefined;
  /** The latest that was handed out. */
  #view: Float32Array | undefined;

  /**
   * @param shape sizes of the axes, non-negative integers, the slowest axis first
   * @param data the values, row-major, copied and rounded to float32. Default: zeros
   * @throws TypeError, RangeError if they do not fit each other, or linear memory is exhausted
   */
  constructor(shape: readonly number[], data?: ArrayLike<number>) {
    super();
    const sizes = checkShape(shape);
    if (sizes.length === 0) throw wrongValue("shape", "at least one axis", sizes);
    const length = product(sizes, 0, sizes.length);
    const initial = data === undefined ? undefined : initialValues(data, length, sizes);
    this.#shape = Object.freeze(sizes);
    this.#length = length;
    const block = current().allocate(length);
    const { free } = block;
    this.#block = block;
    // Not the block, whose view holds the tensor.
    freeWhenForgotten(this, { free });
    scopes.at(-1)?.add(this);
    if (initial) block.values.set(viewOf(initial));
  }

  /** Sizes of the axes, the slowest first. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /** How many values: the product of the sizes. */
  get length(): number {
    return this.#length;
  }

  /**
   * The values: a view of where they are now. Read it anew, and do not hold it across the creation of another
   * tensor: when linear memory grows, every view of it goes stale (its length becomes 0). As long as the view is held,
   * garbage collection does not free the tensor; `dispose()` and the end of a `scope` do, and then the view, and what
   * was made of it (`subarray`, `buffer`), shows whatever comes to stand there.
   *
   * @throws ReferenceError after dispose()
   */
  get data(): Float32Array<ArrayBuffer> {
    if (!isTensor(this)) throw wrongKind("tensor", "a Tensor", this);
    const { values } = blockIn("tensor", this);
    if (values !== this.#view) {
      this.#view = values;
      owners.set(values, this);
    }
    return values;
  }

  /** Its sizes and values, exact. */
  toJSON(): TensorJSON {
    return { shape: this.#shape, data: listToJson(this.data) };
  }

  /**
   * The tensor that was saved, in new memory.
   *
   * @param json what `toJSON` returned, parsed
   * @throws TypeError, RangeError if it is something else
   */
  static fromJSON(json: Parsed<TensorJSON>): Tensor {
    const { shape, data } = fieldsOf("json", json);
    const sizes = checkShape(shape);
    return new Tensor(sizes, listFromJson("data", data, product(sizes, 0, sizes.length)));
  }

  /** Gives the memory back: using the tensor later is a ReferenceError. Disposing twice does nothing. */
  dispose(): void {
    if (!isTensor(this)) throw wrongKind("tensor", "a Tensor", this);
    if (this.#block === undefined) return;
    neverForgotten(this);
    this.#block.free();
    this.#block = undefined;
    this.#view = undefined;
  }

  /** `dispose()`, at the end of the block that declares it with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Whether it is a tensor of this copy, and no proxy of one, which has none of its memory. `instanceof` takes 15 ns. */
export function isTensor(value: unknown): value is Tensor {
  return value !== null && typeof value === "object" && isMade(value);
}

/** Where the values of an argument are: a tensor's block, or the array itself. */
export function valuesOf(name: string, data: unknown): Float32Array | Block {
  if (isTensor(data)) return blockIn(name, data);
  if (!isFloat32Array(data)) throw notData(name, data);
  return placed(inUse(name, data));
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

/** Initial values: float32 where they are, a copy of other numbers. As many as the shape says. */
function initialValues(data: unknown, length: number, shape: readonly number[]): Float32Array | Block {
  if (!isList(data)) throw wrongKind("data", "a Float32Array or an array of numbers", data);
  const values = isFloat32Array(data) ? valuesOf("data", data) : undefined;
  const got = values ? viewOf(values).length : data.length;
  if (got !== length) throw wrongValue("data", `a length of ${length} for shape [${shape.join(", ")}]`, got);
  if (values) return values;
  const copy = new Float32Array(length);
  copyNumbers("data", data, copy);
  return copy;
}

/** The sizes of an argument: given with the call, or carried by a tensor. */
export function sizesOf(data: unknown, shape: unknown): readonly number[] | undefined {
  if (shape !== undefined) return checkShape(shape);
  return isTensor(data) ? shapeOf(data) : undefined;
}

/**
 * Runs a function, and frees every tensor that was made in it and is not in its result, which may be a tensor or hold
 * tensors in arrays and plain objects. A loop of calls without `out` needs it: the garbage collector, which frees
 * forgotten tensors, does not run within a loop. Maps, layers and scalers that were made in it give back the memory of
 * their tables, which a later use takes anew.
 *
 *     const y = scope(() => second.infer(first.infer(x)));   // the tensor in between is freed
 *
 * @param run makes tensors; called once, now
 * @returns what the function returns
 * @throws what the function throws, with all its tensors freed; TypeError if it returns a promise
 */
export function scope<Result>(run: () => Result): Result {
  if (typeof run !== "function") throw wrongKind("run", "a function", run);
  const made = new Set<Owner>();
  scopes.push(made);
  try {
    const result = run();
    if (tagOf(result) === "Promise") {
      throw wrongKind(
        "run",
        "a function that returns its result, because tensors are freed then",
        "a promise",
      );
    }
    scopes.pop();
    const outer = scopes.at(-1);
    for (const tensor of tensorsIn(result)) if (made.delete(tensor)) outer?.add(tensor);
    return result;
  } catch (error) {
    if (scopes.at(-1) === made) scopes.pop();
    throw error;
  } finally {
    for (const owner of made) owner.dispose();
    // What was made in it and lives on knows the set.
    made.clear();
  }
}

function* tensorsIn(result: unknown): Iterable<Tensor> {
  // What is added to a set while it is walked is walked, too.
  const seen = new Set([result]);
  for (const value of seen) {
    if (isTensor(value)) yield value;
    else if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value)) {
      for (const held of Object.values(value)) seen.add(held);
    }
  }
}
