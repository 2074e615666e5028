// What importing the kernels means: this project's bundler inlines the bytes; with ?module, the bundler
// of an edge runtime gives a compiled WebAssembly.Module.
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
