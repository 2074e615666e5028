// Linear memory of what nobody disposed: given back at the end of the scope that its owner was made in, or when the owner
// is garbage collected, where a runtime tells.

/** What holds linear memory. */
export interface Owner {
  dispose(): void;
}

/** Memory that can be given back. */
interface Memory {
  free(): void;
}

/** The owners that were made in each scope that runs, the innermost last. */
export const scopes: Set<Owner>[] = [];

// Made at the first use: bundlers keep what runs at import, and some hosts have no such class (Cloudflare Workers
// before their compatibility date 2025-05-05).
let registry: FinalizationRegistry<Memory> | undefined;

/** From now on the memory is freed once its owner is garbage collected. */
export function freeWhenForgotten(owner: object, memory: Memory): void {
  if (typeof FinalizationRegistry !== "function") return;
  registry ??= new FinalizationRegistry((memory) => memory.free());
  registry.register(owner, memory, owner);
}

/** The owner's memory is freed by hand. */
export function neverForgotten(owner: object): void {
  registry?.unregister(owner);
}
