// A map's table, or memory for what is folded: made at the second use, one for each backend that calls run on. What is used
// once, as the map of a scaler that is fitted for one table, takes no memory.

import type { Backend } from "./backend.js";
import { freeWhenForgotten, neverForgotten, type Owner, scopes } from "./forgotten.js";

export class Prepared<First, Made extends { free(): void }> implements Owner {
  readonly #first: (backend: Backend) => First;
  readonly #make: (backend: Backend, first: First) => Made;
  readonly #uses = new Map<Backend, { readonly first: First; made?: Made | undefined }>();
  readonly #scopes = scopes.slice();
  // The latest, because a look into the map costs small calls 20 ns.
  #backend: Backend | undefined;
  #made: Made | undefined;

  /**
   * @param first what the first use gets
   * @param make what the others get, made of it
   */
  constructor(first: (backend: Backend) => First, make: (backend: Backend, first: First) => Made) {
    this.#first = first;
    this.#make = make;
  }

  /** What this use gets. */
  on(backend: Backend): First | Made {
    if (backend === this.#backend && this.#made !== undefined) return this.#made;
    const use = this.#uses.get(backend);
    if (use === undefined) {
      const first = this.#first(backend);
      this.#uses.set(backend, { first });
      return first;
    }
    if (use.made === undefined) {
      use.made = this.#make(backend, use.first);
      freeWhenForgotten(this, use.made);
      // It may be used after the scope that it was made in, but within one around that.
      scopes
        .filter((scope) => this.#scopes.includes(scope))
        .at(-1)
        ?.add(this);
    }
    this.#backend = backend;
    this.#made = use.made;
    return use.made;
  }

  /** Gives the memory back, which later uses take anew. */
  dispose(): void {
    neverForgotten(this);
    for (const use of this.#uses.values()) {
      use.made?.free();
      use.made = undefined;
    }
    this.#made = undefined;
  }
}
