// What nouns per feature share: how many features there are, and on which axis.

import { positiveInteger, wrongValue } from "./argument.js";
import { checkAxis } from "./layout.js";
import type { Lists, Nested } from "./lists.js";
import { type Read, read, type Samples } from "./samples.js";

export class Features {
  readonly axis: number;
  #size: number | undefined;

  /** @throws TypeError, RangeError if the axis is not valid; without a size the first data says it */
  constructor(size: number | undefined, axis: number) {
    this.#size = size;
    this.axis = checkAxis(axis);
  }

  get size(): number | undefined {
    return this.#size;
  }

  /** @throws TypeError, RangeError, ReferenceError if the samples do not fit */
  read(x: Nested, shape: readonly number[] | undefined, size?: number): Read<Lists>;
  read(x: Samples, shape: readonly number[] | undefined, size?: number): Read;
  read(x: Samples, shape: readonly number[] | undefined, size = this.#size): Read {
    return read(x, shape, size, this.axis);
  }

  /**
   * From now on there are as many.
   *
   * @throws RangeError if there are others since the samples were read: an item may be a getter
   */
  decide(size: number): void {
    this.check(size);
    this.#size = size;
  }

  /** @throws RangeError if it has been decided that there are others */
  check(size: number): void {
    if ((this.#size ?? size) !== size) throw wrongValue("x", `features = ${this.#size}`, size);
  }
}

/** Constructors take the number of features, options, both or neither: options come second, or alone. */
export function argumentsOf<Options extends object>(
  first: number | Options | undefined,
  second: Options | undefined,
): [features: number | undefined, options: Options | undefined] {
  if (typeof first === "object" && second === undefined) return [undefined, first];
  return [first === undefined ? undefined : positiveInteger("features", first), second];
}

/** @throws RangeError if another object of the same kind has other features */
export function checkFeatures(mine: number | undefined, other: number | undefined): void {
  if (mine === undefined || other === undefined || mine === other) return;
  throw wrongValue("other", `features = ${mine}`, other);
}
