// A map's table, or memory for what is folded: made at the second use, one for each backend that calls run on. What is used
// once, as the map of a scaler that is fitted for one table, takes no memory.

import type { Backend } from "./backend.js";
import { freeWhenForgotten, neverForgotten, type Owner, scopes } from "./forgotten.js";

export class Prepared<Made extends { free(): void }, First = undefined> implements Owner {
  readonly #first: (backend: Backend) => First;
  readonly #make: (backend: Backend) => Made;
  readonly #uses = new Map<Backend, Made | null>();
  readonly #scopes = scopes.slice();
  // The latest, because a look into the map costs small calls 20 ns.
  #backend: Backend | undefined;
  #made: Made | undefined;

  /**
   * @param first what the first use gets
   * @param make what the others get
   */
  constructor(first: (backend: Backend) => First, make: (backend: Backend) => Made) {
    this.#first = first;
    this.#make = make;
  }

  /** What this use gets. */
  on(backend: Backend): Made | First {
    if (backend === this.#backend && this.#made !== undefined) return this.#made;
    let made = this.#uses.get(backend);
    if (made === undefined) {
      this.#uses.set(backend, null);
      return this.#first(backend);
    }
    if (made === null) {
      made = this.#make(backend);
      this.#uses.set(backend, made);
      freeWhenForgotten(this, made);
      // It may be used after the scope that it was made in, but within one around that.
      scopes
        .filter((scope) => this.#scopes.includes(scope))
        .at(-1)
        ?.add(this);
    }
    this.#backend = backend;
    this.#made = made;
    return made;
  }

  /** Gives the memory back, which later uses take anew. */
  dispose(): void {
    neverForgotten(this);
    for (const made of this.#uses.values()) made?.free();
    this.#uses.clear();
    this.#made = undefined;
  }
}
