// The kernels' module: its bytes, which are part of this file's bundle, compiled once.

/// <reference path="../bytes.d.ts" />

import type { instantiate as declared } from "../../build/kernels.js";
import hexadecimal from "../../build/kernels.wasm";

/** The kernels, as the compiler itself declares them. */
export type Kernels = Awaited<ReturnType<typeof declared>>;

/** By brand: modules may come from another realm. */
export function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** The one place where the compiler's declaration meets its module. */
export function instantiate(module: WebAssembly.Module): Kernels {
  return new WebAssembly.Instance(module, {}).exports as Kernels;
}

// Cloudflare Workers compile only while modules are evaluated; elsewhere the first use is early enough.
let compiled: WebAssembly.Module | null | undefined =
  globalThis.navigator?.userAgent === "Cloudflare-Workers" ? compile() : undefined;

/** The kernels that ship with this file, or null where they cannot be compiled. */
export function bundledModule(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compile();
  return compiled;
}

function compile(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(decode(hexadecimal));
  } catch {
    return null;
  }
}

/** The bytes of a text of hexadecimal digits. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  const digit = (i: number) => {
    const code = text.charCodeAt(i);
    return code < 58 ? code - 48 : code - 87;
  };
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(2 * i) << 4) | digit(2 * i + 1);
  return bytes;
}
