// What importing kernels means: this project's bundler inlines a module as text (see build.js); with ?module, the bundler
// of an edge runtime gives a compiled WebAssembly.Module.
declare module "*.wasm" {
  /** Its bytes, as digits of base 89. */
  export const text: string;
  /** Which build it is of: all modules of a build have the same. */
  export const build: string;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
