// What every noun shows of itself: its name to another copy of this package, its fields to a console.

import { NAME } from "./argument.js";

const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Node's util.inspect, as it is handed to what it inspects. */
type Inspect = (value: unknown, options: object) => string;

export abstract class Shown {
  [NAME](): string {
    return this.constructor.name;
  }

  /** `BatchNorm { features: 64, axis: 1, … }`: all that can be read. */
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
