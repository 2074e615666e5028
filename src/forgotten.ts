// Linear memory of what nobody disposed: given back when its owner is garbage collected, where a runtime tells.

/** Memory that can be given back. */
interface Memory {
  free(): void;
}

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
