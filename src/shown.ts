// What every noun shows of itself: its name to another copy of this package, its fields to a console.

import { NAME } from "./argument.js";

const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Node's util.inspect, as it is handed to what it inspects. */
type Inspect = (value: unknown, options: object) => string;

/** Whether it was made by a constructor of this copy: a proxy has no private fields. */
let isMade: (value: object) => boolean;

/** Whether it is an object of the class, and no proxy of one. */
export function isA<Noun extends object>(
  value: unknown,
  noun: abstract new (...args: never[]) => Noun,
): value is Noun {
  return value instanceof noun && isMade(value);
}

export abstract class Shown {
  readonly #made = true;

  /** @hidden */
  [NAME](): string {
    const { name } = this.constructor;
    return isMade(this) ? name : `proxied ${name} (give the object itself)`;
  }

  /** What makes frameworks take it for no plain object, of which they would make a proxy: Vue's `reactive`, say. */
  get [Symbol.toStringTag](): string {
    return this.constructor.name;
  }

  static {
    isMade = (value) => #made in value;
  }

  /**
   * `BatchNorm { features: 64, axis: 1, … }`: all that can be read.
   *
   * @internal
   */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    const fields: Record<string, unknown> = {};
    const prototypes: object[] = [];
    for (let at = Object.getPrototypeOf(this); at !== Shown.prototype; at = Object.getPrototypeOf(at)) {
      prototypes.unshift(at);
    }
    for (const prototype of prototypes) {
      for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (get !== undefined) fields[name] = readOr(get, this);
      }
    }
    return `${this.constructor.name} ${inspect(fields, options)}`;
  }
}

/** What a getter returns, or the error that it throws: a disposed tensor has no data. */
function readOr(get: () => unknown, owner: object): unknown {
  try {
    return get.call(owner);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}
