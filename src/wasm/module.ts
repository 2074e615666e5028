// Modules of kernels: their bytes, which are part of this file's bundle, compiled once, or what the host has compiled.

/// <reference path="../bytes.d.ts" />

import { build, text } from "../../build/kernels.wasm";
import type { instantiate } from "../../build/release/kernels.js";
import { tagOf } from "../argument.js";

/** The kernels that all others share the memory of, as the compiler itself declares them. */
export type Kernels = Awaited<ReturnType<typeof instantiate>>;

export function isModule(value: unknown): value is WebAssembly.Module {
  return tagOf(value) === "WebAssembly.Module";
}

/** What a module is called, if it is of this build. */
export function nameOf(module: WebAssembly.Module): string | undefined {
  try {
    const [section = new ArrayBuffer(0)] = WebAssembly.Module.customSections(module, "simdnorm");
    const [name, of] = String.fromCharCode(...new Uint8Array(section)).split(" ");
    return of === build ? name : undefined;
  } catch {
    // It only says that it is a module.
    return undefined;
  }
}

/** What the host has compiled, by name. */
const given = /* @__PURE__ */ new Map<string, WebAssembly.Module>();

/** Takes what the host has compiled in place of what ships with this file. */
export function give(name: string, module: WebAssembly.Module): void {
  given.set(name, module);
}

/** A module of the bundle, whose `Exports` are declared by the compiler. */
export class Bundled<Exports> {
  readonly #name: string;
  readonly #text: string;
  #compiled: WebAssembly.Module | null | undefined;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#text = text;
    // Cloudflare Workers compile only while modules are evaluated; elsewhere the first use is early enough.
    if (globalThis.navigator?.userAgent === "Cloudflare-Workers") this.#compiled = compile(text);
  }

  /**
   * A new instance of the kernels, which work in a memory, or in one of their own; null where they cannot run: under a
   * content security policy WebKit compiles modules, but refuses their instances.
   */
  on(memory: WebAssembly.Memory | null): Exports | null {
    let module = given.get(this.#name);
    if (module === undefined) {
      if (this.#compiled === undefined) this.#compiled = compile(this.#text);
      if (this.#compiled === null) return null;
      module = this.#compiled;
    }
    try {
      return exportsOf<Exports>(module, memory);
    } catch {
      return null;
    }
  }
}

export const kernels = /* @__PURE__ */ new Bundled<Kernels>("kernels", text);

/** The one place where the compiler's declarations meet its modules. */
export function exportsOf<Exports>(module: WebAssembly.Module, memory: WebAssembly.Memory | null): Exports {
  return new WebAssembly.Instance(module, memory === null ? {} : { env: { memory } }).exports as Exports;
}

function compile(text: string): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(decode(text));
  } catch {
    return null;
  }
}

/** The bytes of digits of base 89, which begin at 7 below 0: see build.js. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - (code < 92 ? 35 : 36);
    if (digit < 89) {
      bytes[length++] = high + digit - 7;
      high = 0;
    } else high = 89 * (digit - 88);
  }
  return bytes.slice(0, length);
}
