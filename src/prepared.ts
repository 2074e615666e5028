// A map's table, or memory for what is folded: made at the second use, one for each backend that calls run on. What is used
// once, as the map of a scaler that is fitted for one table, takes no memory.

import type { Backend } from "./backend.js";
import { freeWhenForgotten, neverForgotten, type Owner, scopes } from "./forgotten.js";

export class Prepared<Made extends { free(): void }> implements Owner {
  readonly #make: (backend: Backend) => Made;
  readonly #uses = new Map<Backend, Made | null>();
  readonly #scope = scopes.at(-1);
  // The latest, because a look into the map costs small calls 20 ns.
  #backend: Backend | undefined;
  #made: Made | undefined;

  constructor(make: (backend: Backend) => Made) {
    this.#make = make;
  }

  /** What is made for a backend; undefined at the first use. */
  on(backend: Backend): Made | undefined {
    if (backend === this.#backend && this.#made !== undefined) return this.#made;
    let made = this.#uses.get(backend);
    if (made === undefined) this.#uses.set(backend, null);
    if (made === null) {
      made = this.#make(backend);
      this.#uses.set(backend, made);
      freeWhenForgotten(this, made);
      this.#scope?.add(this);
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
