// What importing the kernels means: this project's bundler inlines the bytes as base64; with ?module, the bundler
// of an edge runtime gives a compiled WebAssembly.Module.
declare module "*.wasm" {
  const base64: string;
  export default base64;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
